"""Publishes outcomes to the feed in the order of the log, waiting for all replicas, for as long as it takes.

The first appearance of each revision is in order, whoever publishes: a worker publishes what comes before its own
outcomes first. Outcomes may appear again later; readers skip those.
"""

from collections.abc import Sequence
from typing import Final

import stamina
from aiokafka import AIOKafkaConsumer, TopicPartition

from fleet.decisions.commands import Outcome
from fleet.errors import UnavailableError
from streams.commands.feed_records import decode_position, encode_outcomes
from streams.kafka_producer import KafkaProducer
from streams.kafka_security import NO_SECURITY, KafkaSecurity

_LONGEST_PAUSE_S: Final = 2.0
_FETCH_WITHIN_MS: Final = 10_000


class FeedPublisher:
    """Writes one feed through a producer that its owner starts and stops.

    `record_limit_bytes` is what several outcomes in a record stay below; a single one may take more, which the topic
    has room for.
    """

    def __init__(
        self,
        producer: KafkaProducer,
        bootstrap: str,
        topic: str,
        record_limit_bytes: int,
        *,
        security: KafkaSecurity = NO_SECURITY,
    ) -> None:
        self._security = security
        self._producer = producer
        self._bootstrap = bootstrap
        self._place = TopicPartition(topic, 0)
        self._record_limit_bytes = record_limit_bytes

    async def publish(self, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """Publish outcomes, each with the place of the command log that it answers, in as few records as hold them."""
        for value in _records(outcomes, self._record_limit_bytes):
            async for attempt in stamina.retry_context(
                on=UnavailableError, attempts=None, timeout=None, wait_max=_LONGEST_PAUSE_S
            ):
                with attempt:
                    await self._producer.send(self._place.topic, self._place.partition, value)

    async def last_position(self) -> int | None:
        """Up to which revision the last record of the feed answers the log; None when no record is there."""
        async for attempt in stamina.retry_context(
            on=Exception, attempts=None, timeout=None, wait_max=_LONGEST_PAUSE_S
        ):
            with attempt:
                return await self._read_last_position()
        raise AssertionError("retries without a bound end only in an answer")

    async def _read_last_position(self) -> int | None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=self._record_limit_bytes,
            **self._security.for_aiokafka(),
        )
        try:
            await consumer.start()
            consumer.assign([self._place])
            end = (await consumer.end_offsets([self._place]))[self._place]
            if end <= (await consumer.beginning_offsets([self._place]))[self._place]:
                return None
            consumer.seek(self._place, end - 1)
            records = (await consumer.getmany(self._place, timeout_ms=_FETCH_WITHIN_MS)).get(self._place)
            if not records:
                raise UnavailableError(f"the last record of {self._place.topic} did not come")
            return decode_position(records[0].value)
        finally:
            await consumer.stop()


def _records(outcomes: Sequence[tuple[int, Outcome]], limit_bytes: int) -> list[bytes]:
    """Record values within the limit, or of one outcome: halved as long as one is larger."""
    if not outcomes:
        return []
    value = encode_outcomes([outcome for _, outcome in outcomes], outcomes[-1][0])
    if len(value) <= limit_bytes or len(outcomes) == 1:
        return [value]
    middle = len(outcomes) // 2
    return _records(outcomes[:middle], limit_bytes) + _records(outcomes[middle:], limit_bytes)
