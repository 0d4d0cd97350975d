"""What a worker commits, on real Faust and a real broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from settings import Settings
from streams.faust_app import faust_app
from streams.offset_commits import OffsetCommits
from streams.topics import topics_of


@pytest.fixture
def topic(settings: Settings) -> str:
    """A topic of one partition."""
    return topics_of(settings).commands.name


@asynccontextmanager
async def member(settings: Settings, topic: str) -> AsyncIterator[faust.App]:
    """A member of a group that holds the topic's partition and does nothing with it."""
    app = faust_app(f"{topic}-group", settings.kafka, settings.streams)
    assigned = asyncio.Event()

    async def see_assigned(*_: object, **_options: object) -> None:
        assigned.set()

    async def ignore(stream: Any) -> None:
        async for _ in stream:
            pass

    app.on_partitions_assigned.connect(see_assigned, weak=False)
    app.agent(app.topic(topic, acks=False), name="ignore")(ignore)
    running = asyncio.ensure_future(app.start())
    try:
        await asyncio.wait_for(assigned.wait(), 30)
        yield app
    finally:
        await app.stop()
        await running


async def committed(settings: Settings, topic: str) -> int | None:
    """Where the group goes on in the topic's partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka.bootstrap, group_id=f"{topic}-group", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        offset: int | None = await consumer.committed(TopicPartition(topic, 0))
        return offset
    finally:
        await consumer.stop()


async def test_partitions_that_are_lost_are_left_out(settings: Settings, topic: str) -> None:
    """The others are committed all the same."""
    async with member(settings, topic) as app:
        await OffsetCommits(app, topic).commit({0: 3, 7: 5})
        assert await committed(settings, topic) == 3


async def test_a_worker_that_lost_all_of_its_partitions_goes_on(settings: Settings, topic: str) -> None:
    """Another has them: this one waits until it is given some again."""
    async with member(settings, topic) as app:
        await OffsetCommits(app, topic).commit({7: 5})
        assert app.crash_reason is None
        await OffsetCommits(app, topic).commit({0: 4})
        assert await committed(settings, topic) == 4
