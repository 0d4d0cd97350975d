"""Commands that follow from what a device did, sent beside its answer.

A key is proven, a deletion is finished, a configuration lacks something, a playbook is to run.

Each device has at most one of a kind under way. One that fails is forgotten, and the device's next call brings it
again; so nothing is lost and nothing piles up.
"""

import asyncio
from functools import partial

import structlog

from api.devices.enrolment import Commands
from fleet.decisions.commands import Command, FinishDeletion, Outcome, ProveKey, ReportConfiguration, ReportPlaybook
from fleet.decisions.playbooks import DEPLOYING
from fleet.devices.states import DeviceIdentity, DeviceState
from fleet.errors import MusterError

_UNDER_WAY_LIMIT = 10_000
"""Follow-ups a process keeps under way; after a mass registration the rest comes with the next heartbeats."""

_log = structlog.get_logger(__name__)


class FollowUps:
    """Sends follow-ups in the background. `deadline_s` bounds each wait for its outcome."""

    def __init__(self, commands: Commands, deadline_s: float) -> None:
        self._commands = commands
        self._deadline_s = deadline_s
        self._under_way: set[tuple[str, str]] = set()
        self._ended: asyncio.Future[None] | None = None

    def key_was_used(self, identity: DeviceIdentity) -> None:
        """A registered device beat or polled in its namespace, so it holds the certificate for its key."""
        if identity.is_key_proven or identity.state is not DeviceState.REGISTERED or not identity.key_fingerprint:
            return
        self._send(
            ("prove-key", identity.device_id),
            ProveKey(identity.device_id, identity.namespace, identity.key_fingerprint),
        )

    def deletion_is_complete(self, identity: DeviceIdentity) -> None:
        """A device being deleted reported the stripped configuration, or had its time."""
        self._send(("finish", identity.device_id), FinishDeletion(identity.device_id, identity.namespace))

    def configuration_was_assembled(self, report: ReportConfiguration) -> None:
        """A device's configuration has another problem, or none, than its operator was last told."""
        self._send(("configuration", report.device_id), report)

    def playbook_was_served(self, identity: DeviceIdentity, execution: str) -> None:
        """A device is told for the first time of an execution, which is a resource from then on."""
        self._send(
            (execution, identity.device_id),
            ReportPlaybook(identity.device_id, identity.namespace, execution, DEPLOYING),
        )

    async def stop(self, within_s: float) -> None:
        """Let what is under way end, and drop the rest: it will come again."""
        if self._under_way:
            self._ended = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._ended], timeout=within_s)

    def _send(self, key: tuple[str, str], command: Command) -> None:
        if key in self._under_way or len(self._under_way) >= _UNDER_WAY_LIMIT:
            return
        self._under_way.add(key)
        try:
            self._commands.hand_over(command, "muster", self._deadline_s, partial(self._told, key, command))
        except MusterError as error:
            self._told(key, command, error)

    def _told(self, key: tuple[str, str], command: Command, told: Outcome | MusterError) -> None:
        self._under_way.discard(key)
        if isinstance(told, MusterError):
            _log.info("follow-up put off", command=type(command).__name__, reason=str(told))
        if not self._under_way and self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
