"""Unchanged heartbeats set apart a batch at a time: no row differs from those of folding one at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from fleet.heartbeats.batch import Arrival, Place, ReceivedRecord, Stored
from fleet.heartbeats.device_memory import DeviceMemory
from fleet.heartbeats.entries import EntryColumns, HeartbeatEntry
from fleet.heartbeats.fold import Folded, fold, remember
from fleet.heartbeats.rows import ContentRow, SeenRow
from fleet.heartbeats.unchanged import Parted, Parting
from fleet.position import pack_sequence
from tests.fleet.heartbeats.parted_batch import part, received
from tests.fleet.heartbeats.remembered_content import content_of
from tests.fleet.heartbeats.unchanged_rows import in_rows
from tests.streams.heartbeats.heartbeat_scenario import STRANGER, Scenario, seeded

NOW_MS = 1_795_000_000_000
REPEAT_WITHIN_MS = 1500
BODY = b'{"status":"up","version":"1"}'
NOTHING = Stored(frozenset(), {}, {})


Part = Callable[[list[ReceivedRecord], DeviceMemory], Parted]


def _together(records: list[ReceivedRecord], memory: DeviceMemory) -> Parted:
    return part(records, memory, REPEAT_WITHIN_MS)


def _in_pieces(records: list[ReceivedRecord], memory: DeviceMemory) -> Parted:
    parting = Parting(memory, REPEAT_WITHIN_MS)
    for record in records:
        parting.take([record])
    return parting.parted()


def _one_at_a_time(records: list[ReceivedRecord], memory: DeviceMemory) -> Parted:
    return Parted(part([], memory, REPEAT_WITHIN_MS).unchanged, _arrivals(records, memory))


@dataclass
class Worker:
    """Folds batches that are parted in some way."""

    part: Part = _together
    memory: DeviceMemory = field(default_factory=DeviceMemory)

    def fold(self, records: list[ReceivedRecord]) -> Folded:
        """Fold and remember."""
        folded = fold(self.part(records, self.memory), self.memory, NOTHING, REPEAT_WITHIN_MS)
        remember(folded, self.memory)
        return in_rows(folded)


def _content(worker: Worker, namespace: str, device_id: str) -> ContentRow | None:
    return content_of(worker.memory, (namespace, device_id))


def _arrivals(records: list[ReceivedRecord], memory: DeviceMemory) -> list[Arrival]:
    return [
        Arrival(
            entry,
            Place(record.received_at_ms, record.partition, record.first_sequence + index),
            memory.number(entry.namespace, entry.device_id),
            memory.get(entry.namespace, entry.device_id),
        )
        for record in records
        for index, entry in enumerate(EntryColumns([record.entries]).entries())
    ]


def _newest(seen: list[SeenRow]) -> set[SeenRow]:
    """What the table shows: of each device the row of the last position."""
    return set({row[:2]: row for row in sorted(seen, key=lambda row: row.sequence)}.values())


@pytest.mark.parametrize("way", [_together, _in_pieces])
@pytest.mark.parametrize("seed", range(20))
def test_batches_give_the_rows_that_heartbeats_give_one_at_a_time(seed: int, way: Part) -> None:
    """Whatever the fleet does, and however its heartbeats are cut into records, pieces and batches."""
    random, scenario = seeded(seed), Scenario(seed, devices=12)
    apart, one_by_one = Worker(way), Worker(_one_at_a_time)
    now_ms, offset = NOW_MS, 0
    for _ in range(12):
        records = []
        for _ in range(random.randint(1, 3)):
            now_ms += random.choice([0, 700, 1500, 1501, 60_000])
            records.append(received(pack_sequence(1, offset, 0), now_ms, scenario.beat()))
            offset += 1
        for batch in ([records], [[record] for record in records])[random.randint(0, 1)]:
            rows, expected = apart.fold(batch), one_by_one.fold(batch)
            assert _newest(rows.seen) == _newest(expected.seen)
            for name in set(Folded._fields) - {"unchanged", "seen", "learned"}:
                assert sorted(getattr(rows, name), key=repr) == sorted(getattr(expected, name), key=repr), name
    for number in range(12):
        for namespace in ("north", "south"):
            key = (namespace, f"device-{number}")
            assert apart.memory.get(*key) == one_by_one.memory.get(*key)
            assert _content(apart, *key) == _content(one_by_one, *key)
    assert apart.memory.get("north", STRANGER) is None


def _parted(*entries: dict[str, Any], after_ms: int = 60_000) -> tuple[int, int]:
    """How many are set apart and how many are not, for a device that said `BODY` and wanted version 1."""
    worker = Worker()
    worker.fold([received(pack_sequence(1, 0, 0), NOW_MS, [_entry(wanted_version="1"), _entry("other")])])
    record = received(pack_sequence(1, 1, 0), NOW_MS + after_ms, [_entry(**each) for each in entries])
    parted = part([record], worker.memory, REPEAT_WITHIN_MS)
    return len(parted.unchanged), len(parted.rest)


def _entry(device_id: str = "device", **options: Any) -> HeartbeatEntry:
    options = {"is_checked": True, "wanted_version": None, "content_hash": 7, "body": BODY, **options}
    return HeartbeatEntry("north", device_id, **options)


def test_what_says_the_same_is_set_apart() -> None:
    """With the wanted version known before, or none, and also when it is a repetition."""
    assert _parted({}) == (1, 0)
    assert _parted({"wanted_version": "1"}) == (1, 0)
    assert _parted({}, after_ms=100) == (1, 0)
    assert _parted({}, {"device_id": "other"}) == (2, 0)


@pytest.mark.parametrize(
    "difference",
    [
        {"content_hash": 8},
        {"wanted_version": "2"},
        {"is_checked": False},
        {"kind": "hardware"},
        {"device_id": "unknown"},
    ],
)
def test_what_may_need_more_is_left_to_the_fold(difference: dict[str, Any]) -> None:
    """Each of these may bring more rows than the narrow one."""
    assert _parted(difference, {"device_id": "other"}) == (1, 1)


def test_a_device_that_is_there_twice_is_left_to_the_fold() -> None:
    """The second may be a repetition of the first, or a replay."""
    assert _parted({}, {"device_id": "other"}, {}) == (1, 2)
    assert _parted({}, {"content_hash": 8}) == (0, 2)


def test_what_a_later_piece_brings_follows_what_was_set_apart_before() -> None:
    """It may be set apart as well, until its device says something else: from then on the order counts."""
    worker = Worker()
    worker.fold([received(pack_sequence(1, 0, 0), NOW_MS, [_entry(), _entry("other")])])
    parting = Parting(worker.memory, REPEAT_WITHIN_MS)
    hashes = [[7, 7], [7, 8], [7, 7]]
    for offset, (of_device, of_other) in enumerate(hashes, start=1):
        entries = [_entry(content_hash=of_device), _entry("other", content_hash=of_other)]
        parting.take([received(pack_sequence(1, offset, 0), NOW_MS + 60_000 + 1000 * offset, entries)])
    unchanged, rest = parting.parted()
    assert unchanged.device_ids == [b"device", b"other", b"device", b"device"]
    assert unchanged.is_repeat.tolist() == [False, False, True, True]
    assert [(arrival.entry.device_id, arrival.entry.content_hash) for arrival in rest] == [("other", 8), ("other", 7)]
    first = rest[0].known
    assert first is not None
    assert first.sequence == pack_sequence(1, 1, 1)


def test_a_replay_is_left_to_the_fold() -> None:
    """Which skips it, by its position."""
    worker = Worker()
    record = received(pack_sequence(1, 5, 0), NOW_MS, [_entry()])
    worker.fold([record])
    assert len(part([record], worker.memory, REPEAT_WITHIN_MS).unchanged) == 0
    assert not worker.fold([record]).heartbeats
