"""Folding heartbeats: what changes, what repeats, what is nobody's; all of it without I/O."""

import json
from typing import Any

import pytest

from fleet.devices.hardware import decode_hardware
from fleet.heartbeats.batch import Arrival, Place, Stored, StoredHardware, lookups
from fleet.heartbeats.device_memory import DeviceMemory, Learned
from fleet.heartbeats.entries import HeartbeatEntry
from fleet.heartbeats.fold import Folded, fold, remember
from fleet.heartbeats.rows import ContentRow
from fleet.position import pack_sequence
from tests.fleet.heartbeats.parted_batch import part, received
from tests.fleet.heartbeats.remembered_content import content_of
from tests.fleet.heartbeats.unchanged_rows import in_rows

NOW_MS = 1_795_000_000_000
REPEAT_WITHIN_MS = 1500
NOTHING = Stored(frozenset(), {}, {})
KEY = ("north", "device-1")


class Device:
    """A device whose heartbeats are folded one record at a time, with what was stored before."""

    def __init__(self) -> None:
        self.memory = DeviceMemory()
        self.stored = NOTHING
        self.offset = 0
        self.now_ms = NOW_MS

    def beat(self, body: dict[str, Any] | bytes, after_ms: int = 60_000, **options: Any) -> Folded:
        """Fold one heartbeat."""
        self.now_ms += after_ms
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        options = {"is_checked": True, "wanted_version": None, "content_hash": hash(text) % 2**64, **options}
        entry = HeartbeatEntry(*KEY, body=text, **options)
        record = received(pack_sequence(1, self.offset, 0), self.now_ms, [entry])
        self.offset += 1
        folded = fold(part([record], self.memory, REPEAT_WITHIN_MS), self.memory, self.stored, REPEAT_WITHIN_MS)
        remember(folded, self.memory)
        return in_rows(folded)

    @property
    def content(self) -> ContentRow:
        """What is remembered of what it said last."""
        content = content_of(self.memory, KEY)
        assert content is not None
        return content


def _filled(folded: Folded) -> set[str]:
    return {name for name, rows in folded._asdict().items() if len(rows)}


def _workloads(*statuses: str, upload: str | None = None) -> dict[str, Any]:
    return {
        "status": "up",
        "workloads": [
            {"name": f"w{number}", "status": status, "last_data_upload": upload}
            for number, status in enumerate(statuses)
        ],
    }


def test_first_heartbeat_is_a_transition_from_nothing() -> None:
    """What a device says first has no status before it."""
    folded = Device().beat({"status": "up", "version": "1"})
    (transition,) = folded.device_transitions
    assert (transition.previous_status, transition.status, transition.version) == ("", "up", "1")


def test_unchanged_heartbeat_is_a_narrow_row_and_a_sign_of_life() -> None:
    """Neither body nor content are written again, while status and version stand in every row."""
    device = Device()
    device.beat({"status": "up", "version": "1"})
    folded = device.beat({"status": "up", "version": "1"})
    (row,) = folded.heartbeats
    assert (row.status, row.version, row.is_changed, row.is_repeat, row.body) == ("up", "1", False, False, b"")
    assert _filled(folded) == {"heartbeats", "seen"}
    assert folded.seen[0].received_at_ms == device.now_ms


@pytest.mark.parametrize(("after_ms", "is_repeat"), [(0, True), (150, True), (1500, True), (1501, False)])
def test_equal_heartbeat_within_moments_is_a_repeat_without_events(after_ms: int, is_repeat: bool) -> None:  # noqa: FBT001
    """The Edge API tries up to four times within a second; later the device says the same again."""
    device = Device()
    body = {"status": "up", "events": [{"type": "warn", "reason": "Failed", "message": "m"}]}
    device.beat(body)
    folded = device.beat(body, after_ms=after_ms)
    assert folded.heartbeats[0].is_repeat is is_repeat
    assert len(folded.events) == (0 if is_repeat else 1)
    assert folded.seen[0].received_at_ms == device.now_ms


def test_a_clock_set_back_does_not_make_every_heartbeat_a_repeat() -> None:
    """The broker's clock may be corrected by an hour."""
    device = Device()
    device.beat({"status": "up"})
    assert not device.beat({"status": "up"}, after_ms=-3_600_000).heartbeats[0].is_repeat


def test_equal_events_in_one_heartbeat_are_kept() -> None:
    """With their index; nulls and events that say nothing are none."""
    event = {"type": "warn", "reason": "Failed", "message": "m"}
    folded = Device().beat({"events": [event, None, event, {}, {"reason": "Ok"}]})
    assert [(row.event_index, row.type, row.reason) for row in folded.events] == [
        (0, "warn", "Failed"),
        (2, "warn", "Failed"),
        (4, "", "Ok"),
    ]


@pytest.mark.parametrize("nothing", [{"workloads": None}, {"workloads": []}, {}, {"workloads": [None]}])
def test_workloads_that_are_no_longer_reported_close_as_removed(nothing: dict[str, Any]) -> None:
    """Null, absent and empty mean none."""
    device = Device()
    device.beat(_workloads("Running", upload="2022-03-04T05:06:07Z"))
    folded = device.beat({"status": "up", **nothing})
    (transition,) = folded.workload_transitions
    assert (transition.workload, transition.previous_status, transition.status) == ("w0", "Running", "removed")
    assert folded.workloads[0].status == "removed"
    assert folded.workloads[0].last_data_upload_ms == 1_646_370_367_000


def test_statuses_are_kept_as_spelt() -> None:
    """`Running` and `running` are two spellings of agents of different age; none is corrected."""
    device = Device()
    device.beat(_workloads("Running", "Exited", "Created"))
    folded = device.beat({**_workloads("running", "Exited", "crashed"), "status": "Degraded?"})
    assert [(each.workload, each.previous_status, each.status) for each in folded.workload_transitions] == [
        ("w0", "Running", "running"),
        ("w2", "Created", "crashed"),
    ]
    assert folded.heartbeats[0].status == "Degraded?"


def test_since_is_when_the_status_began() -> None:
    """Another upload time is a change of the workload, but not of its status."""
    device = Device()
    device.beat(_workloads("Running", upload="0001-01-01T00:00:00.000Z"))
    began_ms = device.now_ms
    folded = device.beat(_workloads("Running", upload="2022-03-04T05:06:07.123456789+02:00"))
    (workload,) = folded.workloads
    assert (workload.since_ms, workload.last_data_upload_ms) == (began_ms, 1_646_363_167_123)
    assert not folded.workload_transitions


@pytest.mark.parametrize("zero", ["0001-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z", None])
def test_zero_times_are_never(zero: str | None) -> None:
    """Go's zero time and 1970 do not become dates."""
    assert Device().beat(_workloads("Running", upload=zero)).workloads[0].last_data_upload_ms is None


def test_of_two_workloads_of_one_name_the_last_counts() -> None:
    """And without a name nothing can be told of one."""
    body = {"workloads": [{"name": "w", "status": "a"}, {"name": "w", "status": "b"}, {"status": "c"}, {"name": ""}]}
    assert [(row.workload, row.status) for row in Device().beat(body).workloads] == [("w", "b")]


def test_unchecked_heartbeat_of_an_unregistered_device_is_raw_and_nothing_else() -> None:
    """Its row is kept with the body; no status, event, hardware or sign of life follows from it."""
    body = {"status": "up", "events": [{"reason": "r"}], "hardware": {"hostname": "h"}, "workloads": [{"name": "w"}]}
    folded = Device().beat(body, is_checked=False)
    (row,) = folded.heartbeats
    assert (row.is_registered, row.status, json.loads(row.body)) == (False, "", body)
    assert _filled(folded) == {"heartbeats"}


def test_unchecked_heartbeat_of_a_registered_device_counts() -> None:
    """The API had not loaded yet, the lookup knew."""
    device = Device()
    device.stored = Stored(frozenset({KEY}), {}, {})
    assert device.beat({"status": "up"}, is_checked=False).seen


def test_a_body_that_cannot_be_read_is_put_aside_and_kept_raw() -> None:
    """It may come of an API newer than the worker; the device's status stays as it was."""
    device = Device()
    device.beat({"status": "up"})
    folded = device.beat(b'{"status":7}')
    assert "$.status" in folded.unreadable[0].reason
    assert folded.heartbeats[0].body == b'{"status":7}'
    assert _filled(folded) == {"heartbeats", "unreadable"}


def test_a_wrong_hash_stops_nothing() -> None:
    """A record of another producer may call anything equal to what it likes."""
    device = Device()
    device.beat({"events": [{"reason": "r"}]}, content_hash=2**64 - 5)
    folded = device.beat(b"[", content_hash=2**64 - 5)
    assert len(folded.unreadable) == 1
    assert folded.heartbeats[0].content_hash == 2**64 - 5


def test_drift_lasts_from_the_first_heartbeat_with_another_version_than_wanted() -> None:
    """It begins with the first difference, lasts over newer wishes, and ends with the wanted version."""
    device = Device()
    device.beat({"version": "1"}, wanted_version="1")
    assert device.content.drifted_since_ms is None
    folded = device.beat({"version": "1"}, wanted_version="2")
    began_ms = device.now_ms
    assert (folded.heartbeats[0].is_changed, folded.contents[0].drifted_since_ms) == (False, began_ms)
    assert not device.beat({"version": "1"}, wanted_version=None).contents
    assert device.beat({"version": "1"}, wanted_version="3").contents[0].drifted_since_ms == began_ms
    assert device.beat({"version": "3"}, wanted_version=None).contents[0].drifted_since_ms is None


def test_a_registrations_hardware_is_no_sign_of_life() -> None:
    """Only hardware follows from it."""
    folded = Device().beat({"hardware": {"hostname": "h", "cpu": {"count": 4}}}, kind="hardware")
    (hardware,) = folded.hardware
    assert (hardware.hostname, hardware.cpu_count) == ("h", 4)
    assert _filled(folded) == {"hardware"}


def test_lookups_ask_for_no_more_than_the_batch_needs() -> None:
    """Unchanged devices are not read at all; changed ones are, and hardware where the body may describe it."""
    device = Device()
    device.beat({"status": "up"})
    known = device.memory.get(*KEY)
    assert known is not None
    memory = DeviceMemory()
    memory.learn([Learned(KEY, known)])

    def wanted(body: bytes, **options: Any) -> tuple[bool, bool, bool]:
        entry = HeartbeatEntry(*KEY, body=body, **{"is_checked": True, "wanted_version": None, **options})
        asked = lookups([_arrival(entry, memory)], memory)
        return bool(asked.registered), bool(asked.contents), bool(asked.hardware)

    same = hash(b'{"status": "up"}') % 2**64
    assert wanted(b"", content_hash=same) == (False, False, False)
    assert wanted(b"", content_hash=same, is_checked=False) == (True, False, False)
    assert wanted(b"", content_hash=same, wanted_version="2") == (False, True, False)
    assert wanted(b"{}", content_hash=1) == (False, True, False)
    assert wanted(b'{"hardware":{}}', content_hash=1) == (False, True, True)
    assert wanted(b'{"\\u0068ardware":{}}', content_hash=1) == (False, True, True)
    memory = device.memory
    assert wanted(b"", content_hash=same, wanted_version="2") == (False, False, False)
    assert wanted(b'{"hardware":{}}', content_hash=1) == (False, False, True)


def test_playbook_executions_are_told_of_when_their_status_changes() -> None:
    """By name; what is reported again, without a name or without a status is no news."""
    device = Device()

    def told(*executions: dict[str, str] | None) -> list[dict[str, str]]:
        folded = device.beat({"status": "up", "playbook-executions": executions})
        return [executed.statuses for executed in folded.executed if executed.key == KEY]

    running = {"name": "p", "status": "Running"}
    assert told(running, None) == [{"p": "Running"}]
    assert told(running, {"name": "q"}, {"status": "Running"}) == []
    assert told({"name": "p", "status": "CompletedWithError"}, running | {"name": "q"}) == [
        {"p": "CompletedWithError", "q": "Running"}
    ]
    assert told() == []


def _hardware_looked_up(device: Device, body: dict[str, Any]) -> bool:
    text = json.dumps(body).encode()
    entry = HeartbeatEntry(*KEY, content_hash=1, is_checked=True, wanted_version=None, body=text)
    return bool(lookups([_arrival(entry, device.memory)], device.memory).hardware)


def test_hardware_is_looked_up_for_what_is_said_again_after_something_else() -> None:
    """Within one batch the device went on and came back, and a registration described it differently before."""
    device = Device()
    first = {"status": "up", "hardware": {"hostname": "h"}}
    _with_hardware(device, first)
    device.beat({"hardware": {"hostname": "other", "cpu": {"count": 4}}}, kind="hardware")
    known = device.memory.get(*KEY)
    assert known is not None
    arrivals = [
        _arrival(
            HeartbeatEntry(*KEY, content_hash=content_hash, is_checked=True, wanted_version=None, body=body),
            device.memory,
        )
        for content_hash, body in ((1, b"{}"), (known.content_hash, json.dumps(first).encode()))
    ]
    assert lookups(arrivals, device.memory).hardware == {KEY}
    assert not lookups(arrivals[1:], device.memory).hardware


def _arrival(entry: HeartbeatEntry, memory: DeviceMemory) -> Arrival:
    return Arrival(entry, Place(NOW_MS, 0, 0), memory.number(*KEY), memory.get(*KEY))


def test_a_description_of_hardware_that_brought_nothing_new_is_not_looked_up_again() -> None:
    """Agents repeat a part of it in every heartbeat and all of it at times."""
    device = Device()
    part_of_it, all_of_it = {"hostname": "h"}, {"hostname": "h", "cpu": {"count": 4}}
    stored = _with_hardware(device, {"version": "1", "hardware": all_of_it})
    assert _with_hardware(device, {"version": "2", "hardware": part_of_it}, stored) is stored
    device.stored = NOTHING
    for body in ({"version": "3", "hardware": all_of_it}, {"version": "4", "hardware": part_of_it}):
        assert not _hardware_looked_up(device, body)
        assert not device.beat(body).hardware
    assert _hardware_looked_up(device, {"version": "5", "hardware": {"hostname": "other"}})


def test_after_other_hardware_descriptions_are_looked_up_again() -> None:
    """A registration may have described it differently, and what was nothing new may change it back."""
    device = Device()
    described = {"version": "1", "hardware": {"hostname": "h"}}
    stored = _with_hardware(device, described)
    assert not _hardware_looked_up(device, described)
    device.stored = NOTHING._replace(hardware={KEY: stored})
    (row,) = device.beat({"hardware": {"hostname": "other"}}, kind="hardware").hardware
    assert row.hostname == "other"
    assert _hardware_looked_up(device, described)


def _with_hardware(device: Device, body: dict[str, Any], stored: StoredHardware | None = None) -> StoredHardware:
    """Beat with what is stored, and give what is stored then."""
    device.stored = NOTHING._replace(hardware={KEY: stored} if stored else {})
    rows = device.beat(body).hardware
    if not rows:
        assert stored is not None
        return stored
    return StoredHardware(rows[0].sequence, decode_hardware(rows[0].description))
