"""`PUT …/heartbeat`: 200 with its position once the broker has it for good, and only then.

A heartbeat is refused only when it cannot be read, cannot be stored, or comes from no registered device; a process
that has not loaded yet takes it and marks it unchecked, for the agent to look up.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from api.answers import Answer, accepted_at, accepted_in
from api.devices.configuration_groups import Body
from api.devices.follow_ups import FollowUps
from api.devices.heartbeat_batch import StoredRecord, Waiter
from api.devices.paths import DevicePath
from api.devices.plane import Later
from api.devices.read_bodies import ReadBodies
from api.devices.standing import Standings
from fleet.devices.states import DeviceIdentity, DeviceState
from fleet.errors import MusterError, UnavailableError
from fleet.heartbeats.entries import HeartbeatEntry
from fleet.position import EPOCH_NOT_KNOWN


class Publisher(Protocol):
    """Where heartbeats go: `api.devices.heartbeat_publisher.HeartbeatPublisher`."""

    def hand_over(self, entry: HeartbeatEntry, waiter: Waiter) -> None:
        """The waiter is told once it is stored, or that it is not. Raises UnavailableError."""


class Versions(Protocol):
    """What devices should run: `api.devices.configurations.Configurations`."""

    def settled(self, device_id: str, namespace: str) -> Body | None:
        """The configuration of a device of whom nothing else is to be told or asked."""

    def known_version(self, identity: DeviceIdentity) -> str | None:
        """The version wanted for the device, unless it had to make room for others."""

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
        self._read_bodies = ReadBodies()
        self._last_record: StoredRecord | None = None
        self._last_head = b""

    def put(self, path: DevicePath, body: bytes, later: Later) -> None:
        """Store a heartbeat durably, then answer. Raises MusterError for what is refused at once."""
        namespace, device_id = path.namespace, path.device_id
        identity = wanted_version = version = None
        is_checked = True
        settled = self._versions.settled(device_id, namespace)
        if settled is not None:
            # Nothing follows from what it says, so all that is needed is that it can be read.
            wanted_version, content = settled.version, self._read_bodies.content_hash(body)
        else:
            if self._standings.is_loaded:
                identity = self._standings.serving(path)
                wanted_version = self._versions.known_version(identity)
            else:
                is_checked = False
            heartbeat, content = self._read_bodies.read(body)
            version = heartbeat.version
        self._publisher.hand_over(
            HeartbeatEntry(namespace, device_id, content, is_checked, wanted_version, body),
            _Beat(self, identity, version, later),
        )

    def accepted(self, beat: "_Beat", record: StoredRecord, batch_index: int) -> Answer:
        """What follows from a heartbeat that is stored. Raises UnavailableError when its place is worth nothing."""
        if record is not self._last_record:
            # The heartbeats of a record come one after the other.
            epoch = self._epoch() or EPOCH_NOT_KNOWN
            self._last_head = accepted_in(f"{epoch}-{record.partition}-{record.offset}")
            self._last_record = record
        identity = beat.identity
        if identity is not None:
            self._follow_ups.key_was_used(identity)
            if identity.state is DeviceState.DELETING and self._runs_what_it_should(identity, beat.version):
                self._follow_ups.deletion_is_complete(identity)
        return accepted_at(self._last_head, batch_index)

    def _runs_what_it_should(self, identity: DeviceIdentity, version: str | None) -> bool:
        return version is not None and version == self._versions.wanted_version(identity)


class _Beat(Struct, gc=False):
    """A heartbeat on its way into the log. `identity` is there where something may follow from it."""

    call: HeartbeatCall
    identity: DeviceIdentity | None
    version: str | None
    later: Later

    def stored(self, record: StoredRecord, batch_index: int) -> None:
        """Tell the device where."""
        try:
            answer = self.call.accepted(self, record, batch_index)
        except MusterError as error:
            self.later.refuse(error)
        else:
            self.later.answer(answer)

    def failed(self, error: UnavailableError) -> None:
        """Tell the device to come again."""
        self.later.refuse(error)
