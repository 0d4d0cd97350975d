"""Folds a batch of heartbeats into the rows of every table: a pure function of the batch and of what is stored.

A heartbeat at or below its device's stored position is skipped, so folding any part of the log again, cut into any
batches, gives the rows it gave before or none. One that says what its device said last costs a comparison and a narrow
row. Heartbeats of devices that are not registered become raw rows and nothing else. So does one that breaks the fold:
it is put aside, and the rest go on.
"""

from collections.abc import Sequence
from typing import NamedTuple

from fleet.errors import BadInputError
from fleet.heartbeats.batch import HASH_MASK, Arrival, DeviceKey, Entry, Place, Stored
from fleet.heartbeats.device_fold import Checkpoint, DeviceFold, Executed, Relabelled
from fleet.heartbeats.device_memory import DeviceMemory, KnownDevice, Said
from fleet.heartbeats.heartbeat import Heartbeat, hardware_hash, read_heartbeat
from fleet.heartbeats.rows import (
    ContentRow,
    DeviceEventRow,
    DeviceTransitionRow,
    HardwareRow,
    HeartbeatRow,
    SeenRow,
    WorkloadRow,
    WorkloadTransitionRow,
)
from fleet.heartbeats.unchanged import Parted, UnchangedHeartbeats


class Unreadable(NamedTuple):
    """An entry whose body cannot be read or folded, though the API that took it could read it: for the dead letters."""

    place: Place
    body: bytes
    reason: str


class Learned(NamedTuple):
    """What the memory must hold from now on. Without a content the device says what it said."""

    key: DeviceKey
    known: KnownDevice
    content: ContentRow | None
    hardware_hashes: Sequence[int]


class Folded(NamedTuple):
    """A batch's outcome: rows by table, in the order in which they must be written, then what else there is to do.

    `unchanged` are rows of `heartbeats` and `seen` too.
    """

    unchanged: UnchangedHeartbeats
    heartbeats: list[HeartbeatRow]
    device_transitions: list[DeviceTransitionRow]
    workload_transitions: list[WorkloadTransitionRow]
    events: list[DeviceEventRow]
    hardware: list[HardwareRow]
    workloads: list[WorkloadRow]
    contents: list[ContentRow]
    seen: list[SeenRow]
    unreadable: list[Unreadable]
    learned: list[Learned]
    relabelled: list[Relabelled]
    executed: list[Executed]


def fold(parted: Parted, memory: DeviceMemory, stored: Stored, repeat_within_ms: int) -> Folded:
    """Fold the rest of a batch. The memory stays as it is; `remember` tells it.

    An equal heartbeat within `repeat_within_ms` of its device's last is the Edge API trying again: its events count
    once.
    """
    batch = _Batch(memory, stored, repeat_within_ms)
    for arrival in parted.rest:
        batch.take(arrival)
    return batch.folded(parted.unchanged)


def remember(folded: Folded, memory: DeviceMemory) -> None:
    """Have the memory hold what a batch, folded with it, left."""
    memory.see(folded.unchanged.numbers, folded.unchanged.sequences, folded.unchanged.received_at_ms)
    memory.number_all([learned.key for learned in folded.learned])
    for key, known, content, hardware_hashes in folded.learned:
        memory.put(*key, known, content, hardware_hashes)


class _Batch:
    def __init__(self, memory: DeviceMemory, stored: Stored, repeat_within_ms: int) -> None:
        self._memory = memory
        self._stored = stored
        self._repeat_within_ms = repeat_within_ms
        self._devices: dict[DeviceKey, DeviceFold] = {}
        self._heartbeats: list[HeartbeatRow] = []
        self._unreadable: list[Unreadable] = []
        self._before: Checkpoint | None = None

    def take(self, arrival: Arrival) -> None:
        """Fold one heartbeat or description of hardware."""
        entry, place, number = arrival
        self._before = None
        try:
            if entry.kind == "hardware":
                self._take_hardware(entry, place, number)
            else:
                self._take_heartbeat(entry, place, number)
        except Exception as error:  # noqa: BLE001 - one heartbeat that no rule foresaw must not stop all others
            if self._before is not None:
                self._before.restore()
            reason = f"this {entry.kind} cannot be folded: {type(error).__name__}: {error}"
            self._unreadable.append(Unreadable(place, entry.body, reason))
            if entry.kind != "hardware":
                self._keep(entry, place, None, body=entry.body, is_changed=True)

    def _take_heartbeat(self, entry: Entry, place: Place, number: int) -> None:
        if not self._is_registered(entry):
            self._keep(entry, place, None, body=entry.body, is_registered=False, is_changed=True)
            return
        device = self._device(entry, number)
        known = device.known
        if known is not None and place.sequence <= known.sequence:
            return
        content_hash = entry.content_hash & HASH_MASK
        if known is None or known.content_hash != content_hash:
            self._take_changed(device, entry, place, content_hash)
            return
        is_repeat = abs(place.received_at_ms - known.received_at_ms) <= self._repeat_within_ms
        said = known.said
        if said.has_events and not is_repeat and (beat := self._read(entry, place)):
            self._before = device.checkpoint()
            device.take_events(place, beat)
        if entry.wanted_version and entry.wanted_version != said.wanted_version:
            said = said._replace(wanted_version=entry.wanted_version)
            device.want(place, said.wanted_version)
        self._keep(entry, place, said, is_repeat=is_repeat)
        device.see(place, content_hash, said)

    def _take_hardware(self, entry: Entry, place: Place, number: int) -> None:
        """Fold a registration's description of the hardware: no sign of life, and nothing but hardware."""
        if not self._is_registered(entry):
            return
        if beat := self._read(entry, place):
            device = self._device(entry, number)
            self._before = device.checkpoint()
            device.take_hardware(place, beat.hardware, hardware_hash(entry.body))

    def folded(self, unchanged: UnchangedHeartbeats) -> Folded:
        """The rows of all that was taken."""
        folded = Folded(unchanged, [], [], [], [], [], [], [], [], self._unreadable, [], [], [])
        folded.heartbeats.extend(self._heartbeats)
        for key, device in self._devices.items():
            folded.device_transitions.extend(device.transitions)
            folded.workload_transitions.extend(device.workload_transitions)
            folded.events.extend(device.events)
            folded.workloads.extend(device.workload_rows())
            if hardware := device.hardware_row():
                folded.hardware.append(hardware)
            if content := device.content_row():
                folded.contents.append(content)
            if labels := device.changed_labels():
                folded.relabelled.append(labels)
            if executed := device.executed():
                folded.executed.append(executed)
            if seen := device.seen_row():
                folded.seen.append(seen)
            if device.known and device.is_news:
                content = device.content_row() or self._stored.contents.get(key)
                folded.learned.append(Learned(key, device.known, content, device.hardware_hashes))
        return folded

    def _take_changed(self, device: DeviceFold, entry: Entry, place: Place, content_hash: int) -> None:
        beat = self._read(entry, place)
        if beat is None:
            self._keep(entry, place, None, body=entry.body, is_changed=True)
            return
        self._before = device.checkpoint()
        wanted_version = entry.wanted_version or (device.known.said.wanted_version if device.known else "")
        said = device.take_content(place, content_hash, beat, wanted_version)
        device.take_events(place, beat)
        device.take_hardware(place, beat.hardware, hardware_hash(entry.body))
        self._keep(entry, place, said, body=entry.body, is_changed=True)
        device.see(place, content_hash, said)

    def _read(self, entry: Entry, place: Place) -> Heartbeat | None:
        try:
            return read_heartbeat(entry.body)
        except BadInputError as error:
            self._unreadable.append(Unreadable(place, entry.body, str(error)))
            return None

    def _keep(
        self,
        entry: Entry,
        place: Place,
        said: Said | None,
        *,
        body: bytes = b"",
        is_registered: bool = True,
        is_repeat: bool = False,
        is_changed: bool = False,
    ) -> None:
        self._heartbeats.append(
            HeartbeatRow(
                entry.namespace,
                entry.device_id,
                *place,
                said.status if said else "",
                said.version if said else "",
                entry.wanted_version or "",
                is_registered,
                is_repeat,
                is_changed,
                entry.content_hash & HASH_MASK,
                body,
            )
        )

    def _is_registered(self, entry: Entry) -> bool:
        return entry.is_checked or (entry.namespace, entry.device_id) in self._stored.registered

    def _device(self, entry: Entry, number: int) -> DeviceFold:
        key = (entry.namespace, entry.device_id)
        device = self._devices.get(key)
        if device is None:
            known, hashes = self._memory.known(number), self._memory.hardware_hashes(number)
            content = self._stored.contents.get(key) or self._memory.content(number, *key)
            device = DeviceFold(key, known, content, self._stored.hardware.get(key), hashes)
            self._devices[key] = device
        return device
