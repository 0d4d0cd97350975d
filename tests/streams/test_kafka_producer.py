"""The producer survives what poisons aiokafka's, and never keeps anyone waiting for ever."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from fleet.errors import UnavailableError
from streams.kafka_producer import KafkaProducer
from tests.waiting import eventually


@pytest.fixture
async def topic(kafka: str) -> str:
    """A real topic with one partition."""
    name = f"producer-{uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": kafka})
    await asyncio.to_thread(admin.create_topics([NewTopic(name, 1, 1)])[name].result)
    return name


@pytest.fixture
async def producer(kafka: str) -> AsyncIterator[KafkaProducer]:
    """A producer that gives up after a second."""
    producer = KafkaProducer(kafka, 1_000_000, "producer-test", stuck_after_s=1)
    producer.start()
    await up(producer)
    yield producer
    await producer.stop(5)


async def up(producer: KafkaProducer) -> None:
    """Wait until it is connected."""
    await eventually(lambda: producer.is_up)


async def test_records_are_acknowledged_with_their_offsets(topic: str, producer: KafkaProducer) -> None:
    """In the order in which they were sent."""
    assert await asyncio.gather(*(producer.send(topic, 0, b"x") for _ in range(20))) == list(range(20))


async def test_a_failure_builds_a_new_producer(topic: str, producer: KafkaProducer) -> None:
    """After a failed batch the broker would refuse everything behind it."""
    builds = producer.rebuilds
    with pytest.raises(UnavailableError):
        await producer.send(topic, 99, b"x")
    await up(producer)
    assert producer.rebuilds == builds + 1
    assert await producer.send(topic, 0, b"x") == 0


async def test_a_send_to_no_topic_ends(producer: KafkaProducer) -> None:
    """Aiokafka would look for the topic without end."""
    with pytest.raises(UnavailableError):
        await asyncio.wait_for(producer.send("no-such-topic", 0, b"x"), 10)


async def test_without_a_broker_sends_are_refused_at_once() -> None:
    """And a start returns at once, and a stop too."""
    producer = KafkaProducer("127.0.0.1:1", 1_000_000, "producer-test")
    producer.start()
    await asyncio.sleep(0.3)
    assert not producer.is_up
    with pytest.raises(UnavailableError):
        await producer.send("topic", 0, b"x")
    await asyncio.wait_for(producer.stop(1), 5)
