"""Reads records of the command log by their offsets, beside the consumer group: those that were passed over."""

from typing import NamedTuple

import stamina
from aiokafka import AIOKafkaConsumer, TopicPartition

from fleet.errors import UnavailableError
from streams.kafka_security import NO_SECURITY, KafkaSecurity

_LONGEST_PAUSE_S = 5.0
_FETCH_WITHIN_MS = 10_000


class CommandRecord(NamedTuple):
    """A record of the commands topic. `received_at_ms` is the broker's time, Unix milliseconds."""

    offset: int
    received_at_ms: int
    value: bytes


class CommandSource:
    """The commands topic of one cluster."""

    def __init__(
        self, bootstrap: str, topic: str, record_limit_bytes: int, *, security: KafkaSecurity = NO_SECURITY
    ) -> None:
        self._security = security
        self.topic = topic
        self._bootstrap = bootstrap
        self._place = TopicPartition(topic, 0)
        self._record_limit_bytes = record_limit_bytes

    async def read(self, first: int, end: int, limit_bytes: int) -> list[CommandRecord]:
        """Records from offset `first` to before `end`, those the topic still has; at least one, about `limit_bytes`.

        Waits for a broker that is away. Empty when the topic has none of them any more.
        """
        async for attempt in stamina.retry_context(
            on=Exception, attempts=None, timeout=None, wait_max=_LONGEST_PAUSE_S
        ):
            with attempt:
                return await self._read(first, end, limit_bytes)
        raise AssertionError("retries without a bound end only in an answer")

    async def _read(self, first: int, end: int, limit_bytes: int) -> list[CommandRecord]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=max(limit_bytes, self._record_limit_bytes),
            **self._security.for_aiokafka(),
        )
        try:
            await consumer.start()
            consumer.assign([self._place])
            first = max(first, (await consumer.beginning_offsets([self._place]))[self._place])
            if first >= end:
                return []
            consumer.seek(self._place, first)
            fetched = (await consumer.getmany(self._place, timeout_ms=_FETCH_WITHIN_MS)).get(self._place)
            if not fetched:
                raise UnavailableError(f"records {first} to {end - 1} of {self._place.topic} did not come")
            return [CommandRecord(each.offset, each.timestamp, each.value) for each in fetched if each.offset < end]
        finally:
            await consumer.stop()
