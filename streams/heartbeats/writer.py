"""From records of the heartbeats topic to rows in ClickHouse: the heartbeat agent without Faust.

In two steps, so that one batch is folded while the one before is written. What is remembered of the devices is as of
the last folded batch; one that is folded and not written yet is kept until it is written, whatever fails.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import structlog

from fleet.collection_pause import collection_paused
from fleet.devices.hardware import decode_hardware
from fleet.heartbeats.batch import DeviceKey, Lookups, StoredHardware, lookups
from fleet.heartbeats.device_fold import Executed, Relabelled
from fleet.heartbeats.device_memory import DeviceMemory
from fleet.heartbeats.fold import Folded, fold, remember
from fleet.heartbeats.unchanged import part
from fleet.position import Position
from streams.heartbeats.received import HeartbeatRecord, Letter, Portion, portions, position, refuse_gaps
from streams.heartbeats.tables import HeartbeatTables
from streams.metrics import WorkerMetrics

_log = structlog.get_logger(__name__)


class HeartbeatTopic(NamedTuple):
    """The topic that records come from; `epoch` is that of its life."""

    name: str
    partitions: int
    epoch: int


class _Remembered(NamedTuple):
    """The devices of some partitions, and the offset after the last record that was folded into them."""

    memory: DeviceMemory
    partitions: set[int]
    next_offsets: dict[int, int]


class _Unwritten(NamedTuple):
    """A folded portion on its way to the tables. `began_s` is when it was taken, by the steady clock."""

    folded: Folded
    letters: list[Letter]
    received_at_ms: list[int]
    began_s: float


class HeartbeatWriter:
    """Writes the heartbeats of the partitions a worker holds. One `fold` and one `store` may run at a time.

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
        self._remembered = _Remembered(DeviceMemory(), set(), {})
        self._unwritten: deque[_Unwritten] = deque()

    def forget(self) -> None:
        """Forget all devices: others may write about them from now on.

        A fold that is on its way keeps what it remembers to itself; the rows of what is folded do no harm, since
        whoever folds the same records from what is stored gets the same rows.
        """
        self._remembered = _Remembered(DeviceMemory(), set(), {})

    async def write(self, records: Sequence[HeartbeatRecord]) -> None:
        """Fold and store. Repeat the call after whatever it raises, but for RecordsMissingError."""
        await self.fold(records)
        await self.store()

    async def fold(self, records: Sequence[HeartbeatRecord]) -> None:
        """Fold records, which are in order within each partition, for `store`. Those folded before are passed over.

        Repeat the call after whatever it raises, but for RecordsMissingError, which no repetition mends.
        """
        remembered = self._remembered
        refuse_gaps(records, remembered.next_offsets)
        await self._load({record.partition for record in records}, remembered)
        new = [record for record in records if record.offset >= remembered.next_offsets.get(record.partition, 0)]
        for portion in portions(new, self._topic.epoch):
            await self._fold(portion, remembered)
        self._metrics.devices.set(len(remembered.memory))

    async def store(self) -> None:
        """Write all that is folded. Repeat the call after whatever it raises."""
        while self._unwritten:
            await self._store(self._unwritten[0])
            self._unwritten.popleft()

    async def _load(self, partitions: set[int], remembered: _Remembered) -> None:
        missing = partitions - remembered.partitions
        if missing:
            memory = remembered.memory
            await asyncio.to_thread(self._tables.load, memory, missing, self._topic.partitions)
            remembered.partitions.update(missing)
            _log.info("devices loaded", partitions=sorted(missing), devices=len(memory))

    async def _fold(self, portion: Portion, remembered: _Remembered) -> None:
        began_s, memory = time.monotonic(), remembered.memory
        with collection_paused():
            parted = part(portion.records, memory, self._repeat_within_ms)
        wanted = lookups(parted.rest, memory)
        # Taken first: what is written while it is looked up may be in neither.
        newer = self._unwritten_hardware(wanted)
        stored = await asyncio.to_thread(self._tables.look_up, wanted)
        stored = stored._replace(hardware={**stored.hardware, **newer})
        with collection_paused():
            folded = fold(parted, memory, stored, self._repeat_within_ms)
            remember(folded, memory)
        remembered.next_offsets.update(portion.next_offsets)
        received_at_ms = [record.received_at_ms for record in portion.records]
        self._unwritten.append(_Unwritten(folded, portion.letters, received_at_ms, began_s))

    def _unwritten_hardware(self, wanted: Lookups) -> dict[DeviceKey, StoredHardware]:
        """The hardware that is folded and on its way; contents are remembered."""
        return {
            (row.namespace, row.device_id): StoredHardware(row.sequence, decode_hardware(row.description))
            for each in self._unwritten
            for row in each.folded.hardware
            if (row.namespace, row.device_id) in wanted.hardware
        }

    async def _store(self, unwritten: _Unwritten) -> None:
        folded = unwritten.folded
        for letter in unwritten.letters:
            await self._put_aside(self._topic.name, *letter)
        # Before the hardware is stored: afterwards nothing would tell that its labels have changed.
        await self._relabel(folded.relabelled)
        # Before the contents are stored, for the same reason.
        await self._report_playbooks(folded.executed)
        await asyncio.to_thread(self._tables.write, folded)
        for place, body, reason in folded.unreadable:
            await self._put_aside(self._topic.name, position(place.partition, place.sequence), body, reason)
        self._metrics.heartbeats.inc(len(folded.unchanged) + len(folded.heartbeats))
        self._metrics.batch_s.observe(time.monotonic() - unwritten.began_s)
        now_s = self._clock()
        for received_at_ms in unwritten.received_at_ms:
            self._metrics.delay_s.observe(max(0.0, now_s - received_at_ms / 1000))
