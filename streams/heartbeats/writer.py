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
from fleet.heartbeats.unchanged import Parting
from fleet.position import Position
from streams.heartbeats.received import HeartbeatRecord, Portion, position, read_portion, refuse_gaps
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
    portion: Portion
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
        memory, next_offsets = remembered.memory, remembered.next_offsets
        unread = deque(record for record in records if record.offset >= next_offsets.get(record.partition, 0))
        while unread:
            unwritten = await asyncio.to_thread(self._fold, unread, memory, list(self._unwritten))
            with collection_paused():
                remember(unwritten.folded, memory)
            next_offsets.update(unwritten.portion.next_offsets)
            self._unwritten.append(unwritten)
        self._metrics.devices.set(len(memory))

    async def store(self) -> None:
        """Write all that is folded by now. Repeat the call after whatever it raises."""
        for _ in range(len(self._unwritten)):
            await self._store(self._unwritten[0])
            self._unwritten.popleft()

    async def _load(self, partitions: set[int], remembered: _Remembered) -> None:
        missing = partitions - remembered.partitions
        if missing:
            memory = remembered.memory
            await asyncio.to_thread(self._tables.load, memory, missing, self._topic.partitions)
            remembered.partitions.update(missing)
            _log.info("devices loaded", partitions=sorted(missing), devices=len(memory))

    def _fold(
        self, records: deque[HeartbeatRecord], memory: DeviceMemory, unwritten: Sequence[_Unwritten]
    ) -> _Unwritten:
        """Fold the next portion of the records and take it out of them. Blocks.

        Changes nothing else: who is cancelled meanwhile has folded nothing. `unwritten` are as of before anything is
        looked up: what is written meanwhile may be in neither otherwise.
        """
        began_s = time.monotonic()
        with collection_paused():
            parting = Parting(memory, self._repeat_within_ms)
            portion = read_portion(records, self._topic.epoch, parting.take)
            parted = parting.parted()
            wanted = lookups(parted.rest, memory)
        stored = self._tables.look_up(wanted)
        stored = stored._replace(hardware={**stored.hardware, **_hardware(unwritten, wanted)})
        with collection_paused():
            folded = fold(parted, memory, stored, self._repeat_within_ms)
        return _Unwritten(folded, portion, began_s)

    async def _store(self, unwritten: _Unwritten) -> None:
        folded, portion = unwritten.folded, unwritten.portion
        for letter in portion.letters:
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
        for received_at_ms in portion.received_at_ms:
            self._metrics.delay_s.observe(max(0.0, now_s - received_at_ms / 1000))


def _hardware(unwritten: Sequence[_Unwritten], wanted: Lookups) -> dict[DeviceKey, StoredHardware]:
    """The hardware that is folded and on its way; contents are remembered."""
    return {
        (row.namespace, row.device_id): StoredHardware(row.sequence, decode_hardware(row.description))
        for each in unwritten
        for row in each.folded.hardware
        if (row.namespace, row.device_id) in wanted.hardware
    }
