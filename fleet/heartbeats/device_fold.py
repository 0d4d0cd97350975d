"""One device through a batch of its heartbeats: what each adds to what was known, and the rows of the outcome."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from fleet.devices.hardware import NO_HARDWARE, Hardware, encode_hardware, merge_hardware
from fleet.devices.labels import hardware_labels
from fleet.heartbeats.batch import DeviceKey, Place, StoredHardware
from fleet.heartbeats.device_memory import HARDWARE_HASHES, KnownDevice, Said
from fleet.heartbeats.heartbeat import EventReport, Report, UpgradeReport
from fleet.heartbeats.rows import (
    ContentRow,
    DeviceEventRow,
    DeviceTransitionRow,
    HardwareRow,
    SeenRow,
    WorkloadRow,
    WorkloadTransitionRow,
)
from fleet.heartbeats.timestamps import read_time_ms

REMOVED = "removed"
"""Status of a workload that a device no longer reports."""


_NO_EVENT = EventReport()


class Relabelled(NamedTuple):
    """A device whose heartbeat described hardware that earns it other labels than before."""

    place: Place
    key: DeviceKey
    labels: dict[str, str]


class Executed(NamedTuple):
    """A device whose heartbeat reported playbook executions with other statuses than before: status by name."""

    place: Place
    key: DeviceKey
    statuses: dict[str, str]


class Checkpoint(NamedTuple):
    """A device as it was before a heartbeat, to go back to when that turns out not to be foldable."""

    device: "DeviceFold"
    values: dict[str, Any]
    rows: tuple[int, int, int]

    def restore(self) -> None:
        """Undo what was taken since."""
        device = self.device
        vars(device).update(self.values)
        transitions, workload_transitions, events = self.rows
        del device.transitions[transitions:], device.workload_transitions[workload_transitions:], device.events[events:]


class _Workload(NamedTuple):
    status: str
    since_ms: int
    last_data_upload_ms: int | None


class DeviceFold:
    """Holds a device while a batch is folded. `known` and `stored` are as of before the batch.

    After a crash between two writes the stored content may be ahead of the remembered heartbeat; then it counts, and
    what it includes is not folded again.
    """

    def __init__(
        self,
        key: DeviceKey,
        known: KnownDevice | None,
        content: ContentRow | None,
        hardware: StoredHardware | None,
        hardware_hashes: Sequence[int] = (),
    ) -> None:
        self.key = key
        self._remembered = known
        self.known = _newest(known, content)
        self.content = content
        self.hardware = hardware
        self.hardware_hashes = self._hashes_before = list(hardware_hashes)
        self._labels_before = hardware_labels(hardware.hardware) if hardware else {}
        self._labels = self._labels_before
        self._labels_moved = False
        self.transitions: list[DeviceTransitionRow] = []
        self.workload_transitions: list[WorkloadTransitionRow] = []
        self.events: list[DeviceEventRow] = []
        self._place: Place | None = None
        self._content_changed = False
        self._hardware_place: Place | None = None
        self._workloads: dict[str, WorkloadRow] = {}
        self._playbooks: dict[str, str] = {}

    @property
    def is_news(self) -> bool:
        """Whether more is known than was remembered: by a heartbeat of this batch, or by what another worker wrote."""
        return self.known is not self._remembered or self.hardware_hashes != self._hashes_before

    def checkpoint(self) -> Checkpoint:
        """What the device is now."""
        values = {**vars(self), "_workloads": dict(self._workloads)}
        return Checkpoint(self, values, (len(self.transitions), len(self.workload_transitions), len(self.events)))

    def see(self, place: Place, content_hash: int, said: Said) -> None:
        """Note a heartbeat as the device's newest."""
        self.known = KnownDevice(place.sequence, place.received_at_ms, content_hash, said)
        self._place = place

    def take_content(self, place: Place, content_hash: int, beat: Report, wanted_version: str) -> Said:
        """Compare with the last content, keep the differences as rows and this as the last content."""
        before = self.content
        status, version = beat.status or "", beat.version or ""
        if before is None or (before.status, before.version) != (status, version):
            previous = (before.status, before.version) if before else ("", "")
            self.transitions.append(DeviceTransitionRow(*self.key, *place, status, previous[0], version, previous[1]))
        workloads = self._take_workloads(place, beat)
        statuses, since_ms, uploads_ms = _columns(workloads.values())
        playbooks = self._take_playbooks(beat)
        upgrade = beat.upgrade or UpgradeReport()
        said = Said(status, version, wanted_version, has_events=bool(_events(beat)))
        self.content = ContentRow(
            *self.key,
            *place,
            content_hash,
            status,
            before.status_since_ms if before and before.status == status else place.received_at_ms,
            version,
            wanted_version,
            self._drifted_since_ms(version, wanted_version, place.received_at_ms),
            upgrade.current_commit_id or "",
            upgrade.last_upgrade_status or "",
            upgrade.last_upgrade_time or "",
            said.has_events,
            list(workloads),
            statuses,
            since_ms,
            uploads_ms,
            list(playbooks),
            list(playbooks.values()),
            self.hardware_hashes,
        )
        self._content_changed = True
        return said

    def want(self, place: Place, wanted_version: str) -> None:
        """Note that another version is wanted, while the device says what it said."""
        if self.content is None:
            return
        received_at_ms, partition, sequence = place
        self.content = self.content._replace(
            received_at_ms=received_at_ms,
            partition=partition,
            sequence=sequence,
            wanted_version=wanted_version,
            drifted_since_ms=self._drifted_since_ms(self.content.version, wanted_version, received_at_ms),
        )
        self._content_changed = True

    def take_events(self, place: Place, beat: Report) -> None:
        """Keep every event, equal ones too, with its index."""
        self.events += [
            DeviceEventRow(
                *self.key,
                place.received_at_ms,
                "device",
                place.partition,
                place.sequence,
                index,
                event.type or "",
                event.reason or "",
                event.message or "",
            )
            for index, event in _events(beat)
        ]

    def take_hardware(self, place: Place, sent: Hardware | None, description_hash: int) -> None:
        """Add a description to what is known, unless that includes it already.

        What was looked up may be missing when the hash is one of `hardware_hashes`.
        """
        if sent is None or description_hash in self.hardware_hashes:
            return
        if self.hardware is not None and place.sequence <= self.hardware.sequence:
            return
        known = self.hardware.hardware if self.hardware else NO_HARDWARE
        merged = merge_hardware(known, sent)
        if merged != known:
            self._labels = hardware_labels(merged)
            self._labels_moved |= self._labels != self._labels_before
            self.hardware = StoredHardware(place.sequence, merged)
            self._hardware_place = place
            self.hardware_hashes = [description_hash]
        else:
            self.hardware_hashes = [description_hash, *self.hardware_hashes][:HARDWARE_HASHES]

    def seen_row(self) -> SeenRow | None:
        """When the device was seen last, if in this batch."""
        return SeenRow(*self.key, *self._place) if self._place else None

    def content_row(self) -> ContentRow | None:
        """What the device said last, if it changed in this batch."""
        if self.content is None or not self._content_changed:
            return None
        if self.content.hardware_hashes != self.hardware_hashes:
            self.content = self.content._replace(hardware_hashes=self.hardware_hashes)
        return self.content

    def workload_rows(self) -> list[WorkloadRow]:
        """Workloads that changed in this batch, as they are now."""
        return list(self._workloads.values())

    def hardware_row(self) -> HardwareRow | None:
        """The hardware, if it changed in this batch."""
        if self._hardware_place is None or self.hardware is None:
            return None
        hardware = self.hardware.hardware
        cpu, memory, vendor = hardware.cpu, hardware.memory, hardware.system_vendor
        return HardwareRow(
            *self.key,
            *self._hardware_place,
            hardware.hostname or "",
            (cpu and cpu.architecture) or "",
            (cpu and cpu.model_name) or "",
            (cpu and cpu.count) or 0,
            (memory and memory.physical_bytes) or 0,
            (vendor and vendor.manufacturer) or "",
            (vendor and vendor.product_name) or "",
            (vendor and vendor.serial_number) or "",
            encode_hardware(hardware),
        )

    def changed_labels(self) -> Relabelled | None:
        """The labels of the hardware, if a heartbeat changed them. A registration tells of its own by itself.

        Also when they changed back: another worker, cut off between the two, may yet tell of those between.
        """
        if self._hardware_place is None or self._place is None or not self._labels_moved:
            return None
        return Relabelled(self._hardware_place, self.key, self._labels)

    def executed(self) -> Executed | None:
        """The playbook executions whose status changed in this batch, as they are now."""
        if not self._playbooks or self._place is None:
            return None
        return Executed(self._place, self.key, self._playbooks)

    def _take_playbooks(self, beat: Report) -> dict[str, str]:
        """Statuses by name, as reported now. One that is no longer reported is no news: it may just be over."""
        if not beat.playbook_executions:
            return {}
        content = self.content
        before = dict(zip(content.playbook_names, content.playbook_statuses, strict=True)) if content else {}
        now = {each.name: each.status for each in beat.playbook_executions or () if each and each.name and each.status}
        self._playbooks = self._playbooks | {name: status for name, status in now.items() if before.get(name) != status}
        return now

    def _take_workloads(self, place: Place, beat: Report) -> dict[str, _Workload]:
        """The workloads reported now. Without a name nothing can be told of one; of two of a name the last counts."""
        before = _workloads(self.content)
        now = {}
        for report in beat.workloads or ():
            if report is None or not report.name:
                continue
            status, known = report.status or "", before.get(report.name)
            since_ms = known.since_ms if known is not None and known.status == status else place.received_at_ms
            now[report.name] = _Workload(status, since_ms, read_time_ms(report.last_data_upload))
        for name, workload in now.items():
            known = before.get(name)
            if known != workload:
                self._note(place, name, known, workload)
        for name, workload in before.items():
            if name not in now:
                gone = _Workload(REMOVED, place.received_at_ms, workload.last_data_upload_ms)
                self._note(place, name, workload, gone)
        return now

    def _note(self, place: Place, name: str, before: _Workload | None, now: _Workload) -> None:
        self._workloads[name] = WorkloadRow(*self.key, name, *place, now.status, now.since_ms, now.last_data_upload_ms)
        if before is None or before.status != now.status:
            previous = (before.status, before.since_ms) if before else ("", None)
            self.workload_transitions.append(WorkloadTransitionRow(*self.key, name, *place, now.status, *previous))

    def _drifted_since_ms(self, version: str, wanted_version: str, now_ms: int) -> int | None:
        if wanted_version in {"", version}:
            return None
        before = self.content.drifted_since_ms if self.content else None
        return now_ms if before is None else before


def _newest(known: KnownDevice | None, content: ContentRow | None) -> KnownDevice | None:
    if content is None or (known is not None and known.sequence >= content.sequence):
        return known
    return remembered(content, content.sequence, content.received_at_ms)


def remembered(content: ContentRow, sequence: int, received_at_ms: int) -> KnownDevice:
    """What to remember of a device that said this last, in a heartbeat at `sequence`."""
    said = Said(content.status, content.version, content.wanted_version, content.has_events)
    return KnownDevice(sequence, received_at_ms, content.content_hash, said)


def _events(beat: Report) -> list[tuple[int, EventReport]]:
    """The events that say anything, with their index in the heartbeat."""
    return [(index, event) for index, event in enumerate(beat.events or ()) if event and event != _NO_EVENT]


def _workloads(content: ContentRow | None) -> dict[str, _Workload]:
    if content is None:
        return {}
    workloads = map(_Workload, content.workload_statuses, content.workload_since_ms, content.workload_uploads_ms)
    return dict(zip(content.workload_names, workloads, strict=True))


def _columns(workloads: Collection[_Workload]) -> tuple[list[str], list[int], list[int | None]]:
    statuses, since_ms, uploads_ms = zip(*workloads, strict=True) if workloads else ((), (), ())
    return list(statuses), list(since_ms), list(uploads_ms)
