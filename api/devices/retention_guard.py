"""Refuses heartbeats before Kafka would delete unread ones: accepted must mean kept.

From time to time the group's committed offsets are compared with the offsets at a share of the retention's age: where
the group has not read what is older than that, the unread part nears its end. Without an answer from Kafka the last
finding stands, since heartbeats are refused anyway while it is down.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.background_task import BackgroundTask
from streams.kafka_security import NO_SECURITY, KafkaSecurity

_CHECK_WITHIN_S: Final = 20.0

_log = structlog.get_logger(__name__)


class RetentionGuard:
    """Watches one topic for one consumer group. `wall_clock_ms` gives Unix time, which is the broker's in the log."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        partitions: int,
        group: Callable[[], str | None],
        *,
        guarded_age_ms: int,
        every_s: float,
        wall_clock_ms: Callable[[], int],
        security: KafkaSecurity = NO_SECURITY,
    ) -> None:
        self._security = security
        self._bootstrap = bootstrap
        self._places = [TopicPartition(topic, partition) for partition in range(partitions)]
        self._group = group
        self._guarded_age_ms = guarded_age_ms
        self._every_s = every_s
        self._wall_clock_ms = wall_clock_ms
        self._task = BackgroundTask("retention-guard")
        self._endangered: frozenset[int] = frozenset()
        self.lag_records = 0

    def is_endangered(self, partition: int) -> bool:
        """Whether heartbeats of the partition must be refused."""
        return partition in self._endangered

    @property
    def endangered(self) -> frozenset[int]:
        """Partitions whose unread part nears its retention."""
        return self._endangered

    def start(self) -> None:
        """Begin to watch in the background."""
        self._task.start(self._run())

    async def stop(self) -> None:
        """End."""
        await self._task.stop()

    async def _run(self) -> None:
        while True:
            group = self._group()
            if group is not None:
                try:
                    async with asyncio.timeout(_CHECK_WITHIN_S):
                        await self._check(group)
                except Exception as error:  # noqa: BLE001 - the next round tries again; Kafka's loss shows elsewhere
                    _log.info("retention not checked", error=repr(error))
            await asyncio.sleep(self._every_s)

    async def _check(self, group: str) -> None:
        security = self._security.for_aiokafka()
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, group_id=None, enable_auto_commit=False, **security
        )
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, **security)
        try:
            await consumer.start()
            await admin.start()
            committed = await admin.list_consumer_group_offsets(group, partitions=self._places)
            starts = await consumer.beginning_offsets(self._places)
            ends = await consumer.end_offsets(self._places)
            at_ms = self._wall_clock_ms() - self._guarded_age_ms
            younger = await consumer.offsets_for_times(dict.fromkeys(self._places, at_ms))
        finally:
            await admin.close()
            await consumer.stop()
        endangered = set()
        self.lag_records = 0
        for place in self._places:
            offset = committed[place].offset if place in committed else -1
            unread_from = max(offset, starts[place])
            self.lag_records += ends[place] - unread_from
            # No record is younger: then every one there is counts as old.
            young_from = younger[place].offset if younger.get(place) else ends[place]
            if unread_from < young_from:
                endangered.add(place.partition)
        if endangered != self._endangered:
            _log.warning("heartbeats refused: the unread part nears its retention", partitions=sorted(endangered))
        self._endangered = frozenset(endangered)
