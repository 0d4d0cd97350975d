"""Heartbeats on their way into Kafka: collected by partition, sent as one record, answered after the acknowledgement.

An idle partition sends at once; a busy one at most one record per window. What cannot be stored now is refused at
once: when the bytes in flight reach their limit, when the broker is down, and while a partition's last record is
overdue. A heartbeat whose acknowledgement is late is refused, too, although its record may still land: the Edge API
sends it again, and the fold marks repeats.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from fleet.errors import UnavailableError
from fleet.position import MAX_INDEX, Position
from streams.heartbeats.records import HeartbeatEntry, encode_heartbeats, partition_of

_ENTRY_OVERHEAD_BYTES = 64
"""MessagePack's framing of an entry with its hash, flags and a version of usual length, rounded up."""


class Producer(Protocol):
    """What sends records: `streams.kafka_producer.KafkaProducer`."""

    @property
    def is_up(self) -> bool:
        """Whether a send would be tried."""

    @property
    def value_limit_bytes(self) -> int:
        """The largest value of a record."""

    async def send(self, topic: str, partition: int, value: bytes) -> int:
        """The acknowledged record's offset, or UnavailableError."""


class _Batch:
    """Heartbeats that will share a record, and the future of its offset."""

    __slots__ = ("acknowledged", "entries", "size_bytes")

    def __init__(self, acknowledged: "asyncio.Future[int]") -> None:
        self.acknowledged = acknowledged
        self.entries: list[HeartbeatEntry] = []
        self.size_bytes = 0


class _Partition:
    """The batch being collected, when the next may be sent, and when each unacknowledged record was."""

    __slots__ = ("batch", "next_send_s", "sent_s", "timer")

    def __init__(self) -> None:
        self.batch: _Batch | None = None
        self.next_send_s = 0.0
        self.sent_s: deque[float] = deque()
        self.timer: asyncio.TimerHandle | None = None


class HeartbeatPublisher:
    """Publishes the heartbeats of one process. Times are in the running loop's clock.

    `is_endangered` says whether a partition's unread records may soon be deleted; `on_record` takes what was sent.
    """

    def __init__(
        self,
        producer: Producer,
        topic: str,
        partitions: int,
        *,
        window_s: float,
        deadline_s: float,
        in_flight_limit_bytes: int,
        is_endangered: Callable[[int], bool] = lambda _partition: False,
        on_record: Callable[[int, int], None] = lambda _heartbeats, _size_bytes: None,
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._partitions = [_Partition() for _ in range(partitions)]
        self._window_s = window_s
        self._deadline_s = deadline_s
        self._in_flight_limit_bytes = in_flight_limit_bytes
        self._is_endangered = is_endangered
        self._on_record = on_record
        self._sendings: set[asyncio.Task[None]] = set()
        self.in_flight_bytes = 0

    @property
    def can_publish(self) -> bool:
        """Whether a heartbeat of at least one partition would be accepted now."""
        now_s = asyncio.get_running_loop().time()
        return self._producer.is_up and not all(
            self._is_endangered(number) or self._is_overdue(partition, now_s)
            for number, partition in enumerate(self._partitions)
        )

    async def publish(self, entry: HeartbeatEntry) -> Position:
        """Where the heartbeat is stored (with epoch 0, which only the caller knows). Raises UnavailableError."""
        loop = asyncio.get_running_loop()
        number = partition_of(entry.namespace, entry.device_id, len(self._partitions))
        partition = self._partitions[number]
        size_bytes = len(entry.body) + len(entry.namespace) + len(entry.device_id) + _ENTRY_OVERHEAD_BYTES
        self._refuse_if_in_vain(number, size_bytes, loop.time())
        batch = partition.batch
        if batch is not None and (
            batch.size_bytes + size_bytes > self._producer.value_limit_bytes or len(batch.entries) > MAX_INDEX
        ):
            self._send(number, partition)
            batch = None
        if batch is None:
            batch = self._open(number, partition, loop)
        batch_index = len(batch.entries)
        batch.entries.append(entry)
        batch.size_bytes += size_bytes
        self.in_flight_bytes += size_bytes
        # Shielded: one caller that leaves must not take the record from the others.
        offset = await asyncio.shield(batch.acknowledged)
        return Position(0, number, offset, batch_index)

    async def drain(self, within_s: float) -> None:
        """Send what is collected and wait for what is in flight."""
        for number, partition in enumerate(self._partitions):
            if partition.batch is not None:
                self._send(number, partition)
        if self._sendings:
            await asyncio.wait(self._sendings, timeout=within_s)

    def _refuse_if_in_vain(self, number: int, size_bytes: int, now_s: float) -> None:
        if self.in_flight_bytes + size_bytes > self._in_flight_limit_bytes:
            raise UnavailableError(
                f"{self.in_flight_bytes} bytes of heartbeats wait for Kafka's acknowledgement, which is the limit "
                "(MUSTER_HEARTBEATS_IN_FLIGHT_BYTES): try again"
            )
        if not self._producer.is_up:
            raise UnavailableError("Kafka is not reachable: try again")
        if self._is_endangered(number):
            raise UnavailableError("unread heartbeats near the end of their retention: the workers must catch up first")
        if self._is_overdue(self._partitions[number], now_s):
            raise UnavailableError("Kafka does not acknowledge heartbeats of this partition: try again")

    def _is_overdue(self, partition: _Partition, now_s: float) -> bool:
        return bool(partition.sent_s) and now_s - partition.sent_s[0] > self._deadline_s

    def _open(self, number: int, partition: _Partition, loop: asyncio.AbstractEventLoop) -> _Batch:
        batch = partition.batch = _Batch(loop.create_future())
        # Even an idle partition waits for the end of this turn of the loop: what has arrived by then goes along.
        partition.timer = loop.call_at(max(partition.next_send_s, loop.time()), self._send, number, partition)
        loop.call_later(self._deadline_s, _expire, batch)
        return batch

    def _send(self, number: int, partition: _Partition) -> None:
        batch = partition.batch
        if batch is None:
            return
        partition.batch = None
        if partition.timer is not None:
            partition.timer.cancel()
            partition.timer = None
        now_s = asyncio.get_running_loop().time()
        partition.next_send_s = now_s + self._window_s
        partition.sent_s.append(now_s)
        self._spawn(self._deliver(number, partition, batch, now_s))

    async def _deliver(self, number: int, partition: _Partition, batch: _Batch, sent_s: float) -> None:
        try:
            value = encode_heartbeats(batch.entries)
            offset = await self._producer.send(self._topic, number, value)
        except UnavailableError as error:
            _fail(batch, error)
        else:
            self._on_record(len(batch.entries), len(value))
            if not batch.acknowledged.done():
                batch.acknowledged.set_result(offset)
        finally:
            partition.sent_s.remove(sent_s)
            self.in_flight_bytes -= batch.size_bytes

    def _spawn(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(sending)
        self._sendings.add(task)
        task.add_done_callback(self._sendings.discard)


def _expire(batch: _Batch) -> None:
    _fail(batch, UnavailableError("Kafka did not acknowledge the heartbeat in time: try again"))


def _fail(batch: _Batch, error: UnavailableError) -> None:
    if not batch.acknowledged.done():
        batch.acknowledged.set_exception(error)
        batch.acknowledged.exception()  # every waiter may have left
