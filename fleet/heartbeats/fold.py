"""Folds a batch of heartbeats into the rows of every table: a pure function of the batch and of what is stored.

A heartbeat at or below its device's stored position is skipped, so folding any part of the log again, cut into any
batches, gives the rows it gave before or none. One that says what its device said last costs a comparison and a narrow
row. Heartbeats of devices that are not registered become raw rows and nothing else. So does one that breaks the fold:
it is put aside, and the rest go on.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from fleet.devices.hardware import Hardware
from fleet.errors import BadInputError
from fleet.heartbeats.batch import Arrival, DeviceKey, Place, Stored
from fleet.heartbeats.device_fold import DeviceFold, Executed, Relabelled
from fleet.heartbeats.device_memory import DeviceMemory, Learned, Said
from fleet.heartbeats.entries import HeartbeatEntry
from fleet.heartbeats.heartbeat import Report, description_hash, read_hardware, read_report
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
    memory.learn(folded.learned)


_Undo = Callable[[], object]


class _Sent(NamedTuple):
    """What a body says. Its hardware is read only where `description`, its hash, is not known: None otherwise."""

    report: Report
    hardware: Hardware | None
    description: int


class _Batch:
    def __init__(self, memory: DeviceMemory, stored: Stored, repeat_within_ms: int) -> None:
        self._memory = memory
        self._stored = stored
        self._repeat_within_ms = repeat_within_ms
        self._devices: dict[DeviceKey, DeviceFold] = {}
        self._heartbeats: list[HeartbeatRow] = []
        self._unreadable: list[Unreadable] = []
        self._undo: _Undo | None = None

    def take(self, arrival: Arrival) -> None:
        """Fold one heartbeat or description of hardware."""
        entry, place = arrival.entry, arrival.place
        self._undo = None
        try:
            if not self._is_registered(entry):
                if entry.kind != "hardware":
                    self._keep(entry, place, None, body=entry.body, is_registered=False, is_changed=True)
            elif entry.kind == "hardware":
                self._take_hardware(self._device(arrival), entry, place)
            else:
                self._take_heartbeat(self._device(arrival), entry, place)
        except Exception as error:  # noqa: BLE001 - one heartbeat that no rule foresaw must not stop all others
            if self._undo is not None:
                self._undo()
            reason = f"this {entry.kind} cannot be folded: {type(error).__name__}: {error}"
            self._unreadable.append(Unreadable(place, entry.body, reason))
            if entry.kind != "hardware":
                self._keep(entry, place, None, body=entry.body, is_changed=True)

    def _take_heartbeat(self, device: DeviceFold, entry: HeartbeatEntry, place: Place) -> None:
        known = device.known
        if known is not None and place.sequence <= known.sequence:
            return
        content_hash = entry.content_hash
        if known is None or known.content_hash != content_hash:
            self._take_changed(device, entry, place, content_hash)
            return
        is_repeat = abs(place.received_at_ms - known.received_at_ms) <= self._repeat_within_ms
        said = known.said
        if said.has_events and not is_repeat and (sent := self._read(device, entry, place)):
            self._protect(device)
            device.take_events(place, sent.report)
        if entry.wanted_version and entry.wanted_version != said.wanted_version:
            said = said._replace(wanted_version=entry.wanted_version)
            device.want(place, said.wanted_version)
        self._keep(entry, place, said, is_repeat=is_repeat)
        device.see(place, content_hash, said)

    def _take_hardware(self, device: DeviceFold, entry: HeartbeatEntry, place: Place) -> None:
        """Fold a registration's description of the hardware: no sign of life, and nothing but hardware."""
        if sent := self._read(device, entry, place):
            self._protect(device)
            device.take_hardware(place, sent.hardware, sent.description)

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
            content = device.content_row()
            if content:
                folded.contents.append(content)
            if labels := device.changed_labels():
                folded.relabelled.append(labels)
            if executed := device.executed():
                folded.executed.append(executed)
            if seen := device.seen_row():
                folded.seen.append(seen)
            if device.known and device.is_news:
                content = content or self._stored.contents.get(key)
                folded.learned.append(Learned(key, device.known, content, device.hardware_hashes))
        return folded

    def _take_changed(self, device: DeviceFold, entry: HeartbeatEntry, place: Place, content_hash: int) -> None:
        sent = self._read(device, entry, place)
        if sent is None:
            self._keep(entry, place, None, body=entry.body, is_changed=True)
            return
        self._protect(device)
        wanted_version = entry.wanted_version or (device.known.said.wanted_version if device.known else "")
        device.take_hardware(place, sent.hardware, sent.description)
        said = device.take_content(place, content_hash, sent.report, wanted_version)
        device.take_events(place, sent.report)
        self._keep(entry, place, said, body=entry.body, is_changed=True)
        device.see(place, content_hash, said)

    def _read(self, device: DeviceFold, entry: HeartbeatEntry, place: Place) -> _Sent | None:
        try:
            report = read_report(entry.body)
            description = description_hash(report.hardware)
            is_known = not description or description in device.hardware_hashes
            return _Sent(report, None if is_known else read_hardware(entry.body), description)
        except BadInputError as error:
            self._unreadable.append(Unreadable(place, entry.body, str(error)))
            return None

    def _protect(self, device: DeviceFold) -> None:
        """Before anything of the device is changed; one that came into the batch just now is taken out again."""
        if self._undo is None:
            self._undo = device.checkpoint().restore

    def _keep(
        self,
        entry: HeartbeatEntry,
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
                entry.content_hash,
                body,
            )
        )

    def _is_registered(self, entry: HeartbeatEntry) -> bool:
        return entry.is_checked or (entry.namespace, entry.device_id) in self._stored.registered

    def _device(self, arrival: Arrival) -> DeviceFold:
        entry, _, number, known = arrival
        key = (entry.namespace, entry.device_id)
        device = self._devices.get(key)
        if device is None:
            memory, stored = self._memory, self._stored
            content = stored.contents.get(key) or (known and memory.content(number, key, known))
            hashes = memory.hardware_hashes(number)
            device = self._devices[key] = DeviceFold(key, known, content, stored.hardware.get(key), hashes)
            self._undo = partial(self._devices.pop, key)
        return device
