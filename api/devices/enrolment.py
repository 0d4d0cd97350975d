"""`POST …/enrolment`: 201 while the request waits, 200 once approved, 403 when declined.

Agents repeat every 10 s until they get 200, so repeats are answered from memory; only an unknown or removed device's
first one becomes a command.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from api.answers import DONE, QUEUED, Answer
from api.desired_state.command_gateway import Told
from api.desired_state.outcomes import outcome_of, require_accepted
from api.devices.paths import DevicePath
from api.devices.plane import Later
from api.devices.standing import FORBIDDEN, Standing, Standings
from fleet.decisions.commands import Command, EnrolDevice, Outcome
from fleet.devices.enrolment_features import enrolment_features
from fleet.devices.registration import read_enrolment
from fleet.devices.states import DeviceState
from fleet.errors import ForbiddenError, MusterError

_NOT_QUEUED = frozenset({DeviceState.UNKNOWN, DeviceState.REMOVED})
"""States in which an enrolment changes something."""


class Commands(Protocol):
    """Where commands of devices go: `api.desired_state.command_gateway.CommandGateway`."""

    def hand_over(self, command: Command, author: str, deadline_s: float, told: Told) -> None:
        """`told` is called once with the outcome, refused or not, after this process has applied it."""


class EnrolmentCall:
    """Answers enrolments. `deadline_s` bounds the wait for the command."""

    def __init__(
        self,
        standings: Standings,
        commands: Commands,
        *,
        is_auto_approved: bool,
        deadline_s: float,
        new_uid: Callable[[], str],
    ) -> None:
        self._standings = standings
        self._commands = commands
        self._is_auto_approved = is_auto_approved
        self._deadline_s = deadline_s
        self._new_uid = new_uid

    def post(self, path: DevicePath, body: bytes, later: Later) -> Answer | None:
        """Queue the device or say where it stands."""
        enrolment = read_enrolment(body)
        standing = self._standings.asking_to_join(path)
        state = standing.identity.state if standing.identity else DeviceState.UNKNOWN
        if state not in _NOT_QUEUED:
            return _answer(standing)
        self._commands.hand_over(
            EnrolDevice(
                path.device_id,
                path.namespace,
                enrolment_features(enrolment.features),
                self._is_auto_approved,
                uid=self._new_uid(),
                device_uid=self._new_uid(),
            ),
            author=f"device:{path.device_id}",
            deadline_s=self._deadline_s,
            told=lambda told: later.go_on(partial(self._decided, path, told)),
        )
        return None

    def _decided(self, path: DevicePath, told: Outcome | MusterError) -> Answer:
        require_accepted(outcome_of(told))
        return _answer(self._standings.asking_to_join(path))


def _answer(standing: Standing) -> Answer:
    status = standing.answers.enrol
    if status == FORBIDDEN:
        raise ForbiddenError("the device was declined or revoked: an operator must approve it")
    return QUEUED if status == QUEUED.status else DONE
