"""Heartbeats on their way into Kafka: collected by partition, sent as records, answered after the acknowledgement.

An idle process sends at once. A busy one sends what all partitions have collected together, once a window: then the
records are large and share a request. What cannot be stored now is refused at once: when the bytes in flight reach
their limit, when the broker is down, and while a partition's last record is overdue. A heartbeat whose acknowledgement
is late is refused, too, although its record may still land: the Edge API sends it again, and the fold marks repeats.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from api.devices.heartbeat_batch import HeartbeatBatch, StoredRecord, Waiter
from fleet.errors import UnavailableError
from fleet.heartbeats.entries import HeartbeatEntry
from fleet.position import MAX_INDEX, Position
from streams.heartbeats.records import encode_heartbeats, partition_of

_ENTRY_OVERHEAD_BYTES = 80
"""An entry's 40 bytes of columns and, where no other entry of the record has them, a wanted version and a namespace."""


class Producer(Protocol):
    """What sends records: `streams.kafka_producer.KafkaProducer`."""

    @property
    def is_up(self) -> bool:
        """Whether a send would be tried."""

    @property
    def value_limit_bytes(self) -> int:
        """The largest value of a record."""

    def post(self, topic: str, partition: int, value: bytes) -> "asyncio.Future[int]":
        """The acknowledged record's offset, or UnavailableError: here at once, or in the future."""


class _Partition:
    """The batch being collected, and when each unacknowledged record was sent, the oldest first."""

    __slots__ = ("batch", "number", "sent_s")

    def __init__(self, number: int) -> None:
        self.number = number
        self.batch: HeartbeatBatch | None = None
        self.sent_s: deque[float] = deque()


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
        self._partitions = [_Partition(number) for number in range(partitions)]
        self._window_s = window_s
        self._deadline_s = deadline_s
        self._in_flight_limit_bytes = in_flight_limit_bytes
        self._is_endangered = is_endangered
        self._on_record = on_record
        self._record_limit_bytes = producer.value_limit_bytes
        self._collecting: list[_Partition] = []
        self._flush: asyncio.TimerHandle | None = None
        self._next_flush_s = 0.0
        self._in_flight: set[asyncio.Future[int]] = set()
        self.in_flight_bytes = 0

    @property
    def can_publish(self) -> bool:
        """Whether a heartbeat of at least one partition would be accepted now."""
        now_s = asyncio.get_running_loop().time()
        return self._producer.is_up and not all(
            self._is_endangered(partition.number) or self._is_overdue(partition, now_s)
            for partition in self._partitions
        )

    async def publish(self, entry: HeartbeatEntry) -> Position:
        """Where the heartbeat is stored (with epoch 0, which only the caller knows). Raises UnavailableError."""
        waiting = _Waiting()
        self.hand_over(entry, waiting)
        return await waiting.position

    def hand_over(self, entry: HeartbeatEntry, waiter: Waiter) -> None:
        """As `publish`, but the waiter is told. Raises UnavailableError for what is refused at once."""
        partition = self._partitions[partition_of(entry.namespace, entry.device_id, len(self._partitions))]
        size_bytes = len(entry.body) + len(entry.namespace) + len(entry.device_id) + _ENTRY_OVERHEAD_BYTES
        if self.in_flight_bytes + size_bytes > self._in_flight_limit_bytes:
            raise UnavailableError(
                f"{self.in_flight_bytes} bytes of heartbeats wait for Kafka's acknowledgement, which is the limit "
                "(MUSTER_HEARTBEATS_IN_FLIGHT_BYTES): try again"
            )
        batch = partition.batch
        if batch is not None and (
            batch.size_bytes + size_bytes > self._record_limit_bytes or len(batch.entries) > MAX_INDEX
        ):
            self._collecting.remove(partition)
            self._send(partition, asyncio.get_running_loop().time())
            batch = None
        if batch is None:
            # Once a batch: it is open for a window at most.
            self._refuse_if_in_vain(partition)
            batch = self._open(partition)
        batch.add(entry, waiter, size_bytes)
        self.in_flight_bytes += size_bytes

    async def drain(self, within_s: float) -> None:
        """Send what is collected and wait for what is in flight."""
        self._send_collected()
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=within_s)

    def _refuse_if_in_vain(self, partition: _Partition) -> None:
        if not self._producer.is_up:
            raise UnavailableError("Kafka is not reachable: try again")
        if self._is_endangered(partition.number):
            raise UnavailableError("unread heartbeats near the end of their retention: the workers must catch up first")
        if self._is_overdue(partition, asyncio.get_running_loop().time()):
            raise UnavailableError("Kafka does not acknowledge heartbeats of this partition: try again")

    def _is_overdue(self, partition: _Partition, now_s: float) -> bool:
        return bool(partition.sent_s) and now_s - partition.sent_s[0] > self._deadline_s

    def _open(self, partition: _Partition) -> HeartbeatBatch:
        loop = asyncio.get_running_loop()
        batch = partition.batch = HeartbeatBatch(loop.time())
        self._collecting.append(partition)
        if self._flush is None:
            # Even an idle process waits for the end of this turn of the loop: what has arrived by then goes along.
            self._flush = loop.call_at(max(self._next_flush_s, loop.time()), self._send_collected)
        return batch

    def _send_collected(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        now_s = asyncio.get_running_loop().time()
        self._next_flush_s = now_s + self._window_s
        collecting, self._collecting = self._collecting, []
        for partition in collecting:
            self._send(partition, now_s)

    def _send(self, partition: _Partition, now_s: float) -> None:
        batch, partition.batch = partition.batch, None
        assert batch is not None  # noqa: S101 - a partition collects as long as it has one
        value = encode_heartbeats(batch.entries)
        try:
            posted = self._producer.post(self._topic, partition.number, value)
        except UnavailableError as error:
            self.in_flight_bytes -= batch.size_bytes
            batch.fail(error)
            return
        partition.sent_s.append(now_s)
        self._in_flight.add(posted)
        batch.expire(batch.opened_s + self._deadline_s)

        def settle(posted: "asyncio.Future[int]") -> None:
            partition.sent_s.remove(now_s)
            self._in_flight.discard(posted)
            self.in_flight_bytes -= batch.size_bytes
            self._settle(partition.number, batch, posted, len(value))

        posted.add_done_callback(settle)

    def _settle(self, number: int, batch: HeartbeatBatch, posted: "asyncio.Future[int]", size_bytes: int) -> None:
        error = posted.exception()
        if error is None:
            self._on_record(len(batch.entries), size_bytes)
            batch.acknowledge(StoredRecord(number, posted.result()))
        elif isinstance(error, UnavailableError):
            batch.fail(error)
        else:
            batch.fail(UnavailableError("Kafka did not acknowledge the heartbeat: try again"))


class _Waiting:
    """Waits as a coroutine can."""

    def __init__(self) -> None:
        self.position: asyncio.Future[Position] = asyncio.get_running_loop().create_future()

    def stored(self, record: StoredRecord, batch_index: int) -> None:
        """Without the epoch."""
        if not self.position.done():
            self.position.set_result(Position(0, record.partition, record.offset, batch_index))

    def failed(self, error: UnavailableError) -> None:
        """To whoever is still there."""
        if not self.position.done():
            self.position.set_exception(error)
