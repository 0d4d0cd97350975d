"""Heartbeats are refused before Kafka would delete unread ones."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from api.devices.retention_guard import RetentionGuard
from tests.waiting import eventually

HOUR_MS = 3_600_000


class Guarded:
    """A real topic with a group, and a guard whose clock the test moves."""

    def __init__(self, kafka: str, topic: str) -> None:
        self.kafka = kafka
        self.topic = topic
        self.group = f"group-{topic}"
        self.ahead_ms = 0
        self.guard = RetentionGuard(
            kafka,
            topic,
            2,
            lambda: self.group,
            guarded_age_ms=HOUR_MS,
            every_s=0.2,
            wall_clock_ms=lambda: int(time.time() * 1000) + self.ahead_ms,
        )

    def produce(self, partition: int) -> None:
        """One unread record."""
        producer = confluent_kafka.Producer({"bootstrap.servers": self.kafka})
        producer.produce(self.topic, b"x", partition=partition)
        producer.flush(10)

    def commit(self, partition: int, offset: int) -> None:
        """The group has read up to there."""
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.kafka, "group.id": self.group})
        consumer.commit(offsets=[confluent_kafka.TopicPartition(self.topic, partition, offset)], asynchronous=False)
        consumer.close()


@pytest.fixture
async def guarded(kafka: str) -> AsyncIterator[Guarded]:
    """A topic of two partitions, and the guard started."""
    topic = f"guarded-{uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": kafka})
    config = {"message.timestamp.type": "LogAppendTime"}
    await asyncio.to_thread(admin.create_topics([NewTopic(topic, 2, 1, config=config)])[topic].result)
    guarded = Guarded(kafka, topic)
    guarded.guard.start()
    yield guarded
    await guarded.guard.stop()


async def test_unread_records_near_their_retention_close_their_partition(guarded: Guarded) -> None:
    """And reading them opens it again."""
    await asyncio.to_thread(guarded.produce, 0)
    await eventually(lambda: guarded.guard.lag_records == 1)
    assert not guarded.guard.endangered
    guarded.ahead_ms = 2 * HOUR_MS
    await eventually(lambda: guarded.guard.is_endangered(0))
    assert not guarded.guard.is_endangered(1)
    await asyncio.to_thread(guarded.commit, 0, 1)
    await eventually(lambda: not guarded.guard.endangered)
    assert guarded.guard.lag_records == 0


async def test_a_group_that_never_read_counts_from_the_first_record(guarded: Guarded) -> None:
    """Nothing committed is not the same as everything read."""
    guarded.ahead_ms = 2 * HOUR_MS
    await asyncio.to_thread(guarded.produce, 1)
    await eventually(lambda: guarded.guard.is_endangered(1))


async def test_young_records_behind_old_read_ones_are_fine(guarded: Guarded) -> None:
    """Only what is unread counts, however old the rest."""
    for _ in range(3):
        await asyncio.to_thread(guarded.produce, 0)
    await asyncio.to_thread(guarded.commit, 0, 3)
    guarded.ahead_ms = 2 * HOUR_MS
    await eventually(lambda: guarded.guard.lag_records == 0)
    await asyncio.sleep(0.5)
    assert not guarded.guard.endangered
