"""The ends of a test's command log: what goes in as requests, what comes out of the feed."""

import asyncio
import time
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from fleet.decisions.commands import Outcome, Request
from settings import Settings
from streams.commands.feed_records import decode_outcomes
from streams.commands.records import encode_requests
from streams.commands.source import CommandRecord
from streams.topics import Topics, topics


class CommandTopics:
    """The topics of an installation that is set up."""

    def __init__(self, settings: Settings) -> None:
        self.bootstrap = settings.kafka.bootstrap
        self.names: Topics = topics(
            settings.kafka.topic_prefix,
            settings.heartbeats.partitions,
            settings.heartbeats.retention_h,
            settings.kafka.record_limit_bytes,
        )

    async def send(self, *records: Sequence[Request] | bytes) -> list[CommandRecord]:
        """Append records to the command log, of requests or of raw bytes; what the log then holds of them."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        await producer.start()
        try:
            sent = []
            for record in records:
                value = record if isinstance(record, bytes) else encode_requests(record)
                place = await producer.send_and_wait(self.names.commands.name, value, partition=0)
                sent.append(CommandRecord(place.offset, place.timestamp, value))
            return sent
        finally:
            await producer.stop()

    async def read(self, topic: str, partition: int = 0) -> list[CommandRecord]:
        """Every record of a topic's partition at this moment."""
        place = TopicPartition(topic, partition)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=None)
        await consumer.start()
        try:
            consumer.assign([place])
            end = (await consumer.end_offsets([place]))[place]
            consumer.seek(place, 0)
            found: list[CommandRecord] = []
            while await consumer.position(place) < end:
                fetched = await consumer.getmany(place, timeout_ms=1000)
                found += [CommandRecord(each.offset, each.timestamp, each.value) for each in fetched.get(place, [])]
            return found
        finally:
            await consumer.stop()

    async def feed(self) -> list[Outcome]:
        """Every outcome published so far, in order, repetitions included."""
        records = await self.read(self.names.feed.name)
        return [outcome for record in records for outcome in decode_outcomes(record.value)]

    async def feed_with(self, request_ids: set[str], within_s: float = 60.0) -> list[Outcome]:
        """The feed once it answers all of these."""
        deadline_s = time.monotonic() + within_s
        while True:
            outcomes = await self.feed()
            missing = request_ids - {outcome.request_id for outcome in outcomes}
            if not missing:
                return outcomes
            assert time.monotonic() < deadline_s, f"not answered within {within_s:.0f} s: {sorted(missing)}"
            await asyncio.sleep(0.2)
