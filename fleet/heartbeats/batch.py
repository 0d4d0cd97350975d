"""What the fold of a batch takes in: heartbeats with their positions, and what was looked up for them before."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fleet.devices.hardware import Hardware
from fleet.heartbeats.device_memory import DeviceMemory, KnownDevice
from fleet.heartbeats.entries import HeartbeatEntry, RecordEntries
from fleet.heartbeats.heartbeat import hardware_hash
from fleet.heartbeats.rows import ContentRow

DeviceKey = tuple[str, str]
"""Namespace and device id."""


class ReceivedRecord(NamedTuple):
    """A Kafka record's entries. `first_sequence` is that of index 0; `received_at_ms` the broker's time."""

    partition: int
    first_sequence: int
    received_at_ms: int
    entries: RecordEntries


class Place(NamedTuple):
    """Where and when a heartbeat was taken."""

    received_at_ms: int
    partition: int
    sequence: int


class Arrival(NamedTuple):
    """An entry by itself. `number` is its device's in the memory, -1 for one that is not remembered.

    `known` is what was remembered of the device before the batch; of a device's first arrival, what is known after its
    heartbeats that were set apart before (`fleet.heartbeats.unchanged`).
    """

    entry: HeartbeatEntry
    place: Place
    number: int
    known: KnownDevice | None


class StoredHardware(NamedTuple):
    """What is known of a device's hardware, as of a sequence."""

    sequence: int
    hardware: Hardware


class Stored(NamedTuple):
    """What was looked up for a batch: devices asked for and absent here have nothing stored."""

    registered: frozenset[DeviceKey]
    contents: Mapping[DeviceKey, ContentRow]
    hardware: Mapping[DeviceKey, StoredHardware]


class Lookups(NamedTuple):
    """What a batch needs: registrations of unchecked devices, last contents of changed ones, and hardware."""

    registered: frozenset[DeviceKey]
    contents: frozenset[DeviceKey]
    hardware: frozenset[DeviceKey]


def lookups(arrivals: Sequence[Arrival], memory: DeviceMemory) -> Lookups:
    """What to look up before folding.

    A device that is not remembered never beat, so nothing but hardware can be stored of it. Contents are asked for only
    where the memory has none, hardware only where a description may bring something new.
    """
    registered, contents, hardware = set(), set(), set()
    changed: set[DeviceKey] = set()
    for entry, _, number, known in arrivals:
        key = (entry.namespace, entry.device_id)
        if not entry.is_checked:
            registered.add(key)
        if entry.kind == "hardware":
            hardware.add(key)
            continue
        # What says again what a device said before the batch is a change when it said something else in between.
        is_changed = key in changed or known is None or known.content_hash != entry.content_hash
        if is_changed:
            changed.add(key)
        if known is not None and (is_changed or _wants_another(entry, known)) and not memory.has_content(number):
            contents.add(key)
        if is_changed and (hash_ := hardware_hash(entry.body)) and hash_ not in memory.hardware_hashes(number):
            hardware.add(key)
    return Lookups(frozenset(registered), frozenset(contents), frozenset(hardware))


def _wants_another(entry: HeartbeatEntry, known: KnownDevice) -> bool:
    return bool(entry.wanted_version) and entry.wanted_version != known.said.wanted_version
