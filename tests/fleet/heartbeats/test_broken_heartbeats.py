"""Heartbeats that cannot be read or folded: what they would have changed stays as it was, and their rows are kept."""

import pytest

from fleet.heartbeats.batch import Place, Stored
from fleet.heartbeats.device_fold import DeviceFold
from fleet.heartbeats.device_memory import DeviceMemory
from fleet.heartbeats.entries import HeartbeatEntry
from fleet.heartbeats.fold import Folded, fold, remember
from fleet.heartbeats.heartbeat import Report
from tests.fleet.heartbeats.parted_batch import part, received

KEY = ("north", "device-1")
NOW_MS = 1_795_000_000_000
BROKEN = b'{"status":"up","version":"broken","workloads":[{"name":"w"}],"hardware":{"hostname":"h"}}'


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> DeviceMemory:
    """Of a worker that breaks at the last thing it takes from a heartbeat of the version `broken`."""
    take_events = DeviceFold.take_events

    def breaking(device: DeviceFold, place: Place, report: Report) -> None:
        assert report.version != "broken", "broken"
        take_events(device, place, report)

    monkeypatch.setattr(DeviceFold, "take_events", breaking)
    return DeviceMemory()


def test_of_a_device_whose_first_heartbeat_breaks_nothing_is_told(memory: DeviceMemory) -> None:
    """It was not there before."""
    folded = _folded(memory, BROKEN)
    assert [row.body for row in folded.heartbeats] == [BROKEN]
    assert "cannot be folded: AssertionError" in folded.unreadable[0].reason
    assert _filled(folded) == {"heartbeats", "unreadable"}
    assert len(memory) == 0


def test_a_heartbeat_that_breaks_leaves_what_those_before_it_in_the_batch_said(memory: DeviceMemory) -> None:
    """And the next one is compared with that."""
    folded = _folded(memory, b'{"status":"up","version":"1"}', BROKEN, b'{"status":"up","version":"2"}')
    assert [(row.version, row.previous_version) for row in folded.device_transitions] == [("1", ""), ("2", "1")]
    assert [row.version for row in folded.contents] == ["2"]
    assert not _filled(folded) & {"workloads", "hardware"}
    assert [row.version for row in folded.heartbeats] == ["1", "", "2"]


def test_hardware_of_another_type_makes_the_heartbeat_unreadable() -> None:
    """The message says where; also when the device is known."""
    memory = DeviceMemory()
    _folded(memory, b'{"status":"up"}')
    folded = _folded(memory, b'{"status":"down","hardware":{"cpu":{"count":"four"}}}', offset=1)
    assert "$.hardware.cpu.count" in folded.unreadable[0].reason
    assert _filled(folded) == {"heartbeats", "unreadable"}


def _folded(memory: DeviceMemory, *bodies: bytes, offset: int = 0) -> Folded:
    entries = [
        HeartbeatEntry(*KEY, hash(body) % 2**64, is_checked=True, wanted_version=None, body=body) for body in bodies
    ]
    record = received(1000 * (offset + 1), NOW_MS + 60_000 * offset, entries)
    folded = fold(part([record], memory, 1500), memory, Stored(frozenset(), {}, {}), 1500)
    remember(folded, memory)
    return folded


def _filled(folded: Folded) -> set[str]:
    return {name for name, rows in folded._asdict().items() if len(rows)}
