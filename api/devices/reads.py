"""`GET …/configuration` and `GET …/playbookexecutions`: answered from memory, 24 times a minute and device."""

from typing import Protocol

from api.answers import Answer, json_answer
from api.devices.configuration_groups import Body
from api.devices.follow_ups import FollowUps
from api.devices.paths import DevicePath
from api.devices.playbooks import Playbooks
from api.devices.standing import Standings
from fleet.devices.states import DeviceIdentity


class Assembled(Protocol):
    """Where configurations come from: `api.devices.configurations.Configurations`."""

    def settled(self, device_id: str, namespace: str) -> Body | None:
        """The configuration of a device of whom nothing else is to be told or asked."""

    def response(self, identity: DeviceIdentity) -> bytes:
        """The body of the answer, ready. Raises UnavailableError when it cannot be assembled."""


class ReadCalls:
    """Answers the reads of registered devices."""

    def __init__(
        self, standings: Standings, configurations: Assembled, playbooks: Playbooks, follow_ups: FollowUps
    ) -> None:
        self._standings = standings
        self._configurations = configurations
        self._playbooks = playbooks
        self._follow_ups = follow_ups

    def configuration(self, path: DevicePath, _body: bytes) -> Answer:
        """What the device should run; without workloads and secrets while it is being deleted."""
        body = self._configurations.settled(path.device_id, path.namespace)
        if body is not None:
            return json_answer(body.for_device(path.device_id))
        identity = self._standings.serving(path)
        self._follow_ups.key_was_used(identity)
        return json_answer(self._configurations.response(identity))

    def playbook_executions(self, path: DevicePath, _body: bytes) -> Answer:
        """What the device is to run once and has not ended."""
        return self._playbooks.answer(self._standings.serving(path))
