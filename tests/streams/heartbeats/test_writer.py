"""Heartbeats on their way into a real ClickHouse, without Kafka: any cut, crash and replay shows the same."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

import pytest
from clickhouse_connect.driver import Client

from fleet.devices.hardware import Hardware, merge_hardware
from fleet.heartbeats.batch import Lookups, Stored
from fleet.heartbeats.device_fold import Executed, Relabelled
from fleet.heartbeats.device_memory import DeviceMemory
from fleet.heartbeats.entries import HeartbeatEntry
from fleet.heartbeats.heartbeat import content_hash, read_heartbeat
from fleet.heartbeats.rows import ContentRow
from fleet.position import Position
from storage.device_contents import CONTENTS
from storage.table import insert_rows
from streams.heartbeats.received import HeartbeatRecord, RecordsMissingError
from streams.heartbeats.records import encode_heartbeats, partition_of
from streams.heartbeats.tables import HeartbeatTables
from streams.heartbeats.writer import HeartbeatTopic, HeartbeatWriter
from streams.metrics import WorkerMetrics
from tests.fleet.heartbeats.remembered_content import content_of
from tests.streams.heartbeats.heartbeat_ledger import Taken, expected_views
from tests.streams.heartbeats.heartbeat_scenario import Scenario, seeded, taken
from tests.streams.heartbeats.heartbeat_views import shown

PARTITIONS = 3
REPEAT_WITHIN_MS = 1500
START_MS = 1_795_000_000_000
TABLES = [
    "heartbeats_log",
    "device_transitions_log",
    "workload_transitions_log",
    "device_events_log",
    "device_hardware_state",
    "workload_state",
    "device_content_state",
    "device_seen_state",
]
"""In the order in which a batch is written."""


PutAside = Callable[[str, Position, bytes, str], Awaitable[None]]


class CrashError(Exception):
    """Stands for the death of the process."""


class Log:
    """The heartbeats topic as far as it matters here: records by partition, with times of its own."""

    def __init__(self) -> None:
        self.records: list[HeartbeatRecord] = []
        self.taken: list[Taken] = []
        self._ends = [0] * PARTITIONS
        self._now_ms = START_MS

    def append(self, entries: Sequence[HeartbeatEntry], after_ms: int = 0) -> None:
        """One record a partition, in the manner of the API."""
        self._now_ms += after_ms
        for partition in range(PARTITIONS):
            mine = [each for each in entries if partition_of(each.namespace, each.device_id, PARTITIONS) == partition]
            if not mine:
                continue
            offset = self._ends[partition]
            self._ends[partition] += 1
            self.records.append(HeartbeatRecord(partition, offset, self._now_ms, encode_heartbeats(mine)))
            self.taken += taken(mine, partition, offset, self._now_ms)


def _writer(clickhouse: Client, crash_at: tuple[str, int] | None = None) -> HeartbeatWriter:
    """`crash_at`: the table, and how many batches get past it before."""
    past: dict[str, int] = {}

    def reached(table: str) -> None:
        past[table] = past.get(table, 0) + 1
        if crash_at == (table, past[table]):
            raise CrashError

    return _writer_of(
        HeartbeatTables(clickhouse, WorkerMetrics(), reached), HeartbeatTopic("heartbeats", PARTITIONS, epoch=1), []
    )


def _writer_of(
    tables: HeartbeatTables,
    topic: HeartbeatTopic,
    relabelled: list[Relabelled],
    put_aside: PutAside | None = None,
) -> HeartbeatWriter:
    async def relabel(devices: Sequence[Relabelled]) -> None:
        relabelled.extend(devices)

    return HeartbeatWriter(
        tables,
        topic,
        relabel=relabel,
        report_playbooks=_nothing,
        put_aside=put_aside or _refuse,
        repeat_within_ms=REPEAT_WITHIN_MS,
        metrics=WorkerMetrics(),
    )


async def _nothing(_: Sequence[Executed]) -> None:
    """No device of these tests runs playbooks."""


async def _refuse(*letter: Any) -> None:
    pytest.fail(f"put aside: {letter}")


async def _write_in_cuts(writer: HeartbeatWriter, records: Sequence[HeartbeatRecord], random: Random) -> None:
    start = 0
    while start < len(records):
        end = start + random.randint(1, 7)
        await writer.write(records[start:end])
        start = end


@pytest.mark.parametrize("table", TABLES)
async def test_crash_past_any_table_and_replay_with_other_cuts_show_the_same(clickhouse: Client, table: str) -> None:
    """Whatever was written before the crash, and however the rest is cut afterwards, the views equal the ledger."""
    seed = TABLES.index(table)
    log, scenario, random = Log(), Scenario(seed), seeded(seed)
    for _ in range(12):
        log.append(scenario.beat(), after_ms=random.choice([0, 700, 1500, 1501, 60_000]))
    for crashing_batch in (1, 2):
        with pytest.raises(CrashError):
            await _write_in_cuts(_writer(clickhouse, (table, crashing_batch)), log.records, random)
    # The second crash was after one batch of at least one record, which may have been committed.
    await _write_in_cuts(_writer(clickhouse), log.records[random.choice([0, 1]) :], random)
    assert shown(clickhouse) == expected_views(log.taken, REPEAT_WITHIN_MS)


async def test_replaying_everything_changes_nothing(clickhouse: Client) -> None:
    """The whole log again, in other cuts, by a worker that begins with what is stored."""
    log, scenario = Log(), Scenario(100)
    for _ in range(10):
        log.append(scenario.beat(), after_ms=700)
    await _write_in_cuts(_writer(clickhouse), log.records, seeded(1))
    before = shown(clickhouse)
    await _write_in_cuts(_writer(clickhouse), log.records, seeded(2))
    assert shown(clickhouse) == before == expected_views(log.taken, REPEAT_WITHIN_MS)


async def test_older_heartbeat_never_overwrites_newer(clickhouse: Client) -> None:
    """A worker that was cut off and still writes old records after their new owner does no harm."""
    log, scenario = Log(), Scenario(200)
    for _ in range(6):
        log.append(scenario.beat(), after_ms=60_000)
    cut_off = _writer(clickhouse)
    await cut_off.write(log.records[:3])
    await _writer(clickhouse).write(log.records)
    await cut_off.write(log.records[3:6])
    assert shown(clickhouse) == expected_views(log.taken, REPEAT_WITHIN_MS)


async def test_what_another_worker_wrote_meanwhile_is_not_taken_for_unchanged(clickhouse: Client) -> None:
    """A device went from A to B and back to A; a worker that finds this stored does not compare with its old A."""
    log = Log()
    for body in (b'{"version":"a"}', b'{"version":"b"}', b'{"version":"a"}'):
        entry = HeartbeatEntry(
            "north",
            "device-1",
            content_hash(body, read_heartbeat(body)),
            is_checked=True,
            wanted_version=None,
            body=body,
        )
        log.append([entry], after_ms=60_000)
    writer = _writer(clickhouse)
    await writer.write(log.records[:1])
    await _writer(clickhouse).write(log.records)
    for record in log.records[1:]:
        await writer.write([record])
    assert shown(clickhouse) == expected_views(log.taken, REPEAT_WITHIN_MS)


async def test_a_failed_write_is_repeated_by_the_same_writer(clickhouse: Client) -> None:
    """What a writer remembers changes only when its rows are written."""
    log, scenario = Log(), Scenario(300)
    for _ in range(4):
        log.append(scenario.beat(), after_ms=700)
    writer = _writer(clickhouse, ("device_content_state", 1))
    with pytest.raises(CrashError):
        await writer.write(log.records)
    await writer.write(log.records)
    assert shown(clickhouse) == expected_views(log.taken, REPEAT_WITHIN_MS)


@pytest.mark.parametrize("table", TABLES)
async def test_a_batch_folded_while_the_last_is_written_shows_the_same(clickhouse: Client, table: str) -> None:
    """Also when writing fails between two tables: the same writer goes on, or another one from the last commit."""
    seed = 500 + TABLES.index(table)
    log, scenario, random = Log(), Scenario(seed), seeded(seed)
    for _ in range(8):
        log.append(scenario.beat(), after_ms=random.choice([0, 700, 60_000]))
    cuts = sorted(random.sample(range(1, len(log.records)), 2))
    first, second, rest = log.records[: cuts[0]], log.records[cuts[0] : cuts[1]], log.records[cuts[1] :]
    writer = _writer(clickhouse, (table, 1))
    await writer.fold(first)
    await writer.fold(second)
    with pytest.raises(CrashError):
        await writer.store()
    if random.random() < 0.5:
        await writer.store()
        await writer.write(rest)
    else:
        await _write_in_cuts(_writer(clickhouse), log.records, random)
    assert shown(clickhouse) == expected_views(log.taken, REPEAT_WITHIN_MS)


async def test_hardware_on_its_way_counts_in_the_next_batch(clickhouse: Client) -> None:
    """What is not stored yet is not read back, and must not be forgotten."""
    log = Log()
    for number, part in enumerate(
        [b'{"hostname":"h"}', b'{"cpu":{"count":4}}', b'{"system_vendor":{"serial_number":"S"}}']
    ):
        body = b'{"hardware":%b}' % part
        log.append(
            [HeartbeatEntry("north", "device-1", number, is_checked=True, wanted_version=None, body=body)], 60_000
        )
    writer = _writer(clickhouse)
    for record in log.records:
        await writer.fold([record])
    await writer.store()
    rows = clickhouse.query("SELECT hostname, cpu_count, serial_number FROM hardware").result_rows
    assert rows == [("h", 4, "S")]


async def test_hardware_that_is_stored_while_it_is_looked_up_counts_too(clickhouse: Client) -> None:
    """The answer may be of before, and arrive after."""
    log = Log()
    for number, part in enumerate([b'{"hostname":"h"}', b'{"cpu":{"count":4}}']):
        body = b'{"hardware":%b}' % part
        log.append(
            [HeartbeatEntry("north", "device-1", number, is_checked=True, wanted_version=None, body=body)], 60_000
        )
    loop = asyncio.get_running_loop()

    class LateAnswer(HeartbeatTables):
        def look_up(self, wanted: Lookups) -> Stored:
            stored = super().look_up(wanted)
            asyncio.run_coroutine_threadsafe(writer.store(), loop).result(20)
            return stored

    topic = HeartbeatTopic("heartbeats", PARTITIONS, epoch=1)
    writer = _writer_of(LateAnswer(clickhouse, WorkerMetrics()), topic, [])
    for record in log.records:
        await writer.fold([record])
    await writer.store()
    assert clickhouse.query("SELECT hostname, cpu_count FROM hardware").result_rows == [("h", 4)]


async def test_what_was_loaded_is_what_was_remembered(clickhouse: Client) -> None:
    """A worker that begins asks for no contents either, and folds as the one before would have."""
    log, scenario = Log(), Scenario(600)
    for _ in range(6):
        log.append(scenario.beat(), after_ms=60_000)
    tables = HeartbeatTables(clickhouse, WorkerMetrics())
    writer = _writer_of(tables, HeartbeatTopic("heartbeats", PARTITIONS, epoch=1), [])
    await writer.write(log.records)
    loaded = DeviceMemory()
    tables.load(loaded, range(PARTITIONS), PARTITIONS)
    remembered = writer._remembered.memory
    assert len(loaded) == len(remembered) > 0
    for key in [(namespace, f"device-{number}") for namespace in ("north", "south") for number in range(8)]:
        here, there = loaded.number(*key), remembered.number(*key)
        assert loaded.get(*key) == remembered.get(*key)
        assert content_of(loaded, key) == content_of(remembered, key)
        assert loaded.hardware_hashes(here) in ([], remembered.hardware_hashes(there))


def test_what_is_loaded_is_whole_whatever_its_last_byte(clickhouse: Client) -> None:
    """A number's last byte may be that of a line's end, and a name's, too."""
    since_ms = 1_700_000_000_000
    rows = [
        ContentRow(
            namespace="north",
            device_id=f"device-{number}",
            received_at_ms=since_ms,
            partition=0,
            sequence=1,
            content_hash=7,
            status="up",
            status_since_ms=since_ms,
            version="1",
            wanted_version="1",
            drifted_since_ms=None,
            upgrade_commit_id="",
            upgrade_status="",
            upgrade_time="",
            has_events=False,
            workload_names=["web"],
            workload_statuses=["Running"],
            workload_since_ms=[since_ms],
            workload_uploads_ms=[since_ms + upload_after_ms],
            playbook_names=["play"],
            playbook_statuses=[playbook_status],
            hardware_hashes=[],
        )
        for number, (upload_after_ms, playbook_status) in enumerate(
            [(10, "x"), (266, "x"), (0x0A0A0A, "x\n"), (13, "\r\n"), (0x0D0A, "\n")]
        )
    ]
    insert_rows(clickhouse, CONTENTS, rows)
    loaded = DeviceMemory()
    HeartbeatTables(clickhouse, WorkerMetrics()).load(loaded, range(PARTITIONS), PARTITIONS)
    for row in rows:
        assert content_of(loaded, ("north", row.device_id)) == row


async def test_records_left_out_are_noticed(clickhouse: Client) -> None:
    """A consumer that skips records must not go on."""
    log, scenario = Log(), Scenario(400)
    for _ in range(4):
        log.append(scenario.beat(), after_ms=700)
    mine = [record for record in log.records if record.partition == log.records[0].partition]
    writer = _writer(clickhouse)
    await writer.write(mine[:1])
    with pytest.raises(RecordsMissingError, match="goes on at 2 instead of 1"):
        await writer.write(mine[2:])
    writer.forget()
    await writer.write(mine[2:])


async def test_unchanged_heartbeats_are_not_decoded(clickhouse: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that says the same costs a comparison and a narrow row."""
    log = Log()
    body = b'{"status":"up","version":"1","workloads":[{"name":"web","status":"Running"}]}'
    entry = HeartbeatEntry("north", "device-1", 7, is_checked=True, wanted_version="1", body=body)
    log.append([entry])
    writer = _writer(clickhouse)
    await writer.write(log.records)
    monkeypatch.setattr("fleet.heartbeats.fold.read_report", _never)
    log.append([entry], after_ms=60_000)
    await writer.write(log.records[1:])
    rows = clickhouse.query("SELECT status, version, is_changed, body FROM heartbeats ORDER BY received_at").result_rows
    assert rows == [("up", "1", True, body.decode()), ("up", "1", False, "")]


async def test_a_heartbeat_that_breaks_the_fold_is_put_aside_and_the_rest_go_on(
    clickhouse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried again for ever it would hold up its partition; its row is kept, as every accepted heartbeat's."""
    letters: list[tuple[Any, ...]] = []

    async def put_aside(*letter: Any) -> None:
        letters.append(letter)

    log = Log()
    bodies = [b'{"version":"%b","hardware":{"hostname":"%b"}}' % (name, name) for name in (b"1", b"broken", b"2")]
    log.append(
        [
            HeartbeatEntry("north", "device-1", number, is_checked=True, wanted_version=None, body=body)
            for number, body in enumerate(bodies)
        ]
    )
    monkeypatch.setattr("fleet.heartbeats.device_fold.merge_hardware", _breaking)
    topic = HeartbeatTopic("heartbeats", PARTITIONS, epoch=1)
    writer = _writer_of(HeartbeatTables(clickhouse, WorkerMetrics()), topic, [], put_aside)
    await writer.write(log.records)
    ((name, position, value, reason),) = letters
    assert (name, position.offset, position.batch_index, value) == ("heartbeats", 0, 1, bodies[1])
    assert "this heartbeat cannot be folded: ZeroDivisionError" in reason
    rows = clickhouse.query("SELECT batch_index, version, body FROM heartbeats ORDER BY batch_index").result_rows
    assert rows == [(0, "1", bodies[0].decode()), (1, "", bodies[1].decode()), (2, "2", bodies[2].decode())]
    versions = clickhouse.query("SELECT previous_version, version FROM device_transitions ORDER BY offset, batch_index")
    assert versions.result_rows == [("", "1"), ("1", "2")]


async def test_a_new_epoch_goes_on_where_the_old_one_ended(clickhouse: Client) -> None:
    """With new topics offsets start again, perhaps with other partitions; what devices said still counts."""
    body = b'{"status":"up","version":"1"}'
    entry = HeartbeatEntry("north", "device-1", 7, is_checked=True, wanted_version=None, body=body)
    for epoch, partitions in ((1, 3), (2, 5)):
        writer = _writer_of(
            HeartbeatTables(clickhouse, WorkerMetrics()), HeartbeatTopic("heartbeats", partitions, epoch), []
        )
        partition = partition_of("north", "device-1", partitions)
        record = HeartbeatRecord(partition, 0, START_MS + epoch * 60_000, encode_heartbeats([entry]))
        await writer.write([record])
    rows = clickhouse.query("SELECT epoch, is_changed FROM heartbeats ORDER BY epoch").result_rows
    assert rows == [(1, True), (2, False)]
    assert clickhouse.query("SELECT epoch FROM device_status").result_rows == [(2,)]


async def test_changed_hardware_labels_are_told_before_the_hardware_is_stored(clickhouse: Client) -> None:
    """After a crash between the two they are told again; told once stored, they might never be."""
    told: list[Relabelled] = []
    topic = HeartbeatTopic("heartbeats", PARTITIONS, epoch=1)
    log = Log()
    for number, hardware in enumerate([b'{"hostname":"H-1"}', b'{"hostname":"h-1"}', b'{"hostname":"h-2"}', b"null"]):
        body = b'{"hardware":%b,"version":"%d"}' % (hardware, number)
        log.append(
            [HeartbeatEntry("north", "device-1", number, is_checked=True, wanted_version=None, body=body)], 60_000
        )
    with pytest.raises(CrashError):
        await _writer_of(HeartbeatTables(clickhouse, WorkerMetrics(), _crash), topic, told).write(log.records)
    assert not clickhouse.query("SELECT * FROM hardware").result_rows
    writer = _writer_of(HeartbeatTables(clickhouse, WorkerMetrics()), topic, told)
    for record in log.records:
        await writer.write([record])
    assert [each.labels["device.hostname"] for each in told] == ["h-2", "h-1", "h-2"]


def _crash(_table: str) -> None:
    raise CrashError


def _breaking(known: Hardware, sent: Hardware) -> Hardware:
    if sent.hostname == "broken":
        raise ZeroDivisionError
    return merge_hardware(known, sent)


def _never(*_: Any) -> Any:
    raise AssertionError("an unchanged heartbeat was decoded")
