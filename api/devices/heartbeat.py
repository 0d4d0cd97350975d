"""`PUT …/heartbeat`: 200 with its position once the broker has it for good, and only then.

A heartbeat is refused only when it cannot be read, cannot be stored, or comes from no registered device; a process
that has not loaded yet takes it and marks it unchecked, for the agent to look up.
"""

from collections.abc import Callable
from typing import Protocol

from api.answers import Answer, accepted_at
from api.devices.follow_ups import FollowUps
from api.devices.paths import DevicePath
from api.devices.standing import Standings
from fleet.devices.states import DeviceIdentity, DeviceState
from fleet.heartbeats.heartbeat import content_hash, read_heartbeat
from fleet.position import EPOCH_NOT_KNOWN, Position
from streams.heartbeats.records import HeartbeatEntry


class Publisher(Protocol):
    """Where heartbeats go: `api.devices.heartbeat_publisher.HeartbeatPublisher`."""

    async def publish(self, entry: HeartbeatEntry) -> Position:
        """Where it is stored, once acknowledged. Raises UnavailableError."""


class Versions(Protocol):
    """What devices should run: `api.devices.configurations.Configurations`."""

    def known_version(self, identity: DeviceIdentity) -> str | None:
        """The version wanted for the device if it is assembled already."""

    def wanted_version(self, identity: DeviceIdentity) -> str | None:
        """The version wanted for the device, assembled now if need be."""


class HeartbeatCall:
    """Takes heartbeats.

    `epoch` gives the topic's epoch, or None as long as the process could not read it; it raises UnavailableError once
    the topic is another one: what was stored then is not acknowledged, and comes again.
    """

    def __init__(
        self,
        standings: Standings,
        publisher: Publisher,
        versions: Versions,
        follow_ups: FollowUps,
        epoch: Callable[[], int | None],
    ) -> None:
        self._standings = standings
        self._publisher = publisher
        self._versions = versions
        self._follow_ups = follow_ups
        self._epoch = epoch

    async def put(self, path: DevicePath, body: bytes) -> Answer:
        """Store a heartbeat durably."""
        identity = self._standings.serving(path) if self._standings.is_loaded else None
        heartbeat = read_heartbeat(body)
        wanted_version = self._versions.known_version(identity) if identity else None
        position = await self._publisher.publish(
            HeartbeatEntry(
                path.namespace, path.device_id, content_hash(body), identity is not None, wanted_version, body
            )
        )
        if identity is not None:
            self._follow_ups.key_was_used(identity)
            if identity.state is DeviceState.DELETING and self._runs_what_it_should(identity, heartbeat.version):
                self._follow_ups.deletion_is_complete(identity)
        return accepted_at(str(position._replace(epoch=self._epoch() or EPOCH_NOT_KNOWN)))

    def _runs_what_it_should(self, identity: DeviceIdentity, version: str | None) -> bool:
        return version is not None and version == self._versions.wanted_version(identity)
