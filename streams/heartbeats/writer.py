"""From records of the heartbeats topic to rows in ClickHouse: the heartbeat agent without Faust.

Each call returns when all of its records are written, and may be repeated after any failure: rows are identified by
their positions. What is remembered of the devices changes only after the rows are written.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import structlog

from fleet.collection_pause import collection_paused
from fleet.errors import MusterError
from fleet.heartbeats.batch import ReceivedRecord, lookups
from fleet.heartbeats.device_fold import Executed, Relabelled
from fleet.heartbeats.device_memory import DeviceMemory
from fleet.heartbeats.fold import fold, remember
from fleet.heartbeats.unchanged import part
from fleet.position import MAX_INDEX, Position, pack_sequence, unpack_sequence
from streams.heartbeats.records import HeartbeatEntry, decode_heartbeats
from streams.heartbeats.tables import HeartbeatTables
from streams.metrics import WorkerMetrics

ENTRIES_AT_ONCE = 50_000
"""Heartbeats folded and written together; a larger batch would only take memory."""

BYTES_AT_ONCE = 64_000_000
"""Bytes of records folded and written together, for the same reason."""

_log = structlog.get_logger(__name__)


class HeartbeatRecord(NamedTuple):
    """A record as it came from Kafka."""

    partition: int
    offset: int
    received_at_ms: int
    value: bytes


class HeartbeatTopic(NamedTuple):
    """The topic that records come from; `epoch` is that of its life."""

    name: str
    partitions: int
    epoch: int


class _Remembered(NamedTuple):
    """The devices of these partitions."""

    memory: DeviceMemory
    partitions: set[int]


class RecordsMissingError(MusterError):
    """The consumer left records out. The worker must end: a new one reads on from the committed offset."""


class HeartbeatWriter:
    """Writes the heartbeats of the partitions a worker holds. One call at a time.

    `relabel` tells of changed hardware labels (`HardwareLabelCommands.send`), `report_playbooks` of what came of
    playbook executions (`PlaybookCommands.send`), `put_aside` takes topic, position, bytes
    and reason of what cannot be read (`DeadLetters.put`). `clock` is Unix time in seconds.
    """

    def __init__(
        self,
        tables: HeartbeatTables,
        topic: HeartbeatTopic,
        *,
        relabel: Callable[[Sequence[Relabelled]], Awaitable[None]],
        report_playbooks: Callable[[Sequence[Executed]], Awaitable[None]],
        put_aside: Callable[[str, Position, bytes, str], Awaitable[None]],
        repeat_within_ms: int,
        metrics: WorkerMetrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tables = tables
        self._relabel = relabel
        self._report_playbooks = report_playbooks
        self._put_aside = put_aside
        self._topic = topic
        self._repeat_within_ms = repeat_within_ms
        self._metrics = metrics
        self._clock = clock
        self._remembered = _Remembered(DeviceMemory(), set())
        self._next_offsets: dict[int, int] = {}

    def forget(self) -> None:
        """Forget all devices: others may write about them from now on.

        A call that is on its way keeps what it remembers to itself; its rows do no harm, since newer ones win.
        """
        self._remembered = _Remembered(DeviceMemory(), set())
        self._next_offsets = {}

    async def write(self, records: Sequence[HeartbeatRecord]) -> None:
        """Write records, which are in order within each partition. Repeat the call after whatever it raises.

        But RecordsMissingError, which no repetition mends.
        """
        remembered, next_offsets = self._remembered, self._next_offsets
        _refuse_gaps(records, next_offsets)
        await self._load({record.partition for record in records}, remembered)
        with self._metrics.batch_s.time():
            for portion in _portions([received async for received in self._decoded(records)]):
                await self._write(portion, remembered.memory)
        now_s = self._clock()
        for record in records:
            next_offsets[record.partition] = record.offset + 1
            self._metrics.delay_s.observe(max(0.0, now_s - record.received_at_ms / 1000))
        self._metrics.devices.set(len(remembered.memory))

    async def _load(self, partitions: set[int], remembered: "_Remembered") -> None:
        missing = partitions - remembered.partitions
        if missing:
            memory = remembered.memory
            await asyncio.to_thread(self._tables.load, memory, missing, self._topic.partitions)
            remembered.partitions.update(missing)
            _log.info("devices loaded", partitions=sorted(missing), devices=len(memory))

    async def _write(self, records: Sequence[ReceivedRecord], memory: DeviceMemory) -> None:
        with collection_paused():
            parted = part(records, memory, self._repeat_within_ms)
        stored = await asyncio.to_thread(self._tables.look_up, lookups(parted.rest, memory))
        with collection_paused():
            folded = fold(parted, memory, stored, self._repeat_within_ms)
        # Before the hardware is stored: afterwards nothing would tell that its labels have changed.
        await self._relabel(folded.relabelled)
        # Before the contents are stored, for the same reason.
        await self._report_playbooks(folded.executed)
        await asyncio.to_thread(self._tables.write, folded)
        for unreadable in folded.unreadable:
            position = _position(unreadable.place.partition, unreadable.place.sequence)
            await self._put_aside(self._topic.name, position, unreadable.body, unreadable.reason)
        self._metrics.heartbeats.inc(len(folded.unchanged) + len(folded.heartbeats))
        remember(folded, memory)

    async def _decoded(self, records: Sequence[HeartbeatRecord]) -> AsyncIterator[ReceivedRecord]:
        for record in records:
            first_sequence = pack_sequence(self._topic.epoch, record.offset, 0)
            entries = _entries(record.value)
            if isinstance(entries, str):
                position = _position(record.partition, first_sequence)
                await self._put_aside(self._topic.name, position, record.value, entries)
            else:
                yield ReceivedRecord(record.partition, first_sequence, record.received_at_ms, entries)


def _entries(value: bytes) -> list[HeartbeatEntry] | str:
    """A record's entries, or why it has none."""
    try:
        entries = decode_heartbeats(value)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"this record cannot be read: {error}"
    if len(entries) > MAX_INDEX + 1:
        return f"this record holds {len(entries)} heartbeats, more than {MAX_INDEX + 1}"
    return entries


def _position(partition: int, sequence: int) -> Position:
    epoch, offset, batch_index = unpack_sequence(sequence)
    return Position(epoch, partition, offset, batch_index)


def _refuse_gaps(records: Sequence[HeartbeatRecord], next_offsets: dict[int, int]) -> None:
    expected = dict(next_offsets)
    for record in records:
        wanted = expected.get(record.partition, record.offset)
        if record.offset > wanted:
            raise RecordsMissingError(
                f"partition {record.partition} goes on at {record.offset} instead of {wanted}: reading again from the"
                " last commit"
            )
        expected[record.partition] = max(wanted, record.offset + 1)


def _portions(records: Sequence[ReceivedRecord]) -> Iterator[Sequence[ReceivedRecord]]:
    start, entries, size_bytes = 0, 0, 0
    for index, record in enumerate(records):
        entries += len(record.entries)
        size_bytes += sum(len(entry.body) for entry in record.entries)
        if entries >= ENTRIES_AT_ONCE or size_bytes >= BYTES_AT_ONCE:
            yield records[start : index + 1]
            start, entries, size_bytes = index + 1, 0, 0
    if start < len(records):
        yield records[start:]
