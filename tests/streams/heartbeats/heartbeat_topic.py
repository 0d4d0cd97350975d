"""A test's producer of heartbeats, and how far the workers' group has got."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest

from fleet.heartbeats.entries import HeartbeatEntry
from settings import Settings
from streams.heartbeats.records import encode_heartbeats, partition_of
from streams.topics import heartbeats_group
from tests.streams.heartbeats.heartbeat_scenario import taken

if TYPE_CHECKING:
    from tests.streams.heartbeats.heartbeat_ledger import Taken


class HeartbeatTopicUser:
    """Sends as the API does and remembers what the ledger needs."""

    def __init__(self, settings: Settings) -> None:
        self.topic = f"{settings.kafka.topic_prefix}.heartbeats"
        self.group = heartbeats_group(settings.kafka.topic_prefix, 1)
        self.taken: list[Taken] = []
        self._partitions = settings.heartbeats.partitions
        self._bootstrap = settings.kafka.bootstrap
        self._producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True)

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def send(self, entries: Sequence[HeartbeatEntry]) -> None:
        """One record a partition; returns when the broker has them."""
        for partition in range(self._partitions):
            mine = [
                each for each in entries if partition_of(each.namespace, each.device_id, self._partitions) == partition
            ]
            if mine:
                sent = await self.send_raw(partition, encode_heartbeats(mine))
                self.taken += taken(mine, partition, sent.offset, sent.timestamp)

    async def send_raw(self, partition: int, value: bytes) -> Any:
        """A record of any content."""
        return await self._producer.send_and_wait(self.topic, value, partition=partition)

    async def wait_until_committed(self, within_s: float = 40.0) -> None:
        """Until the group has committed all there is."""
        places = [TopicPartition(self.topic, partition) for partition in range(self._partitions)]
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, group_id=self.group, enable_auto_commit=False)
        await consumer.start()
        try:
            async with asyncio.timeout(within_s):
                ends = await consumer.end_offsets(places)
                for place in places:
                    while (await consumer.committed(place) or 0) < ends[place]:  # noqa: ASYNC110 - nobody tells
                        await asyncio.sleep(0.1)
        finally:
            await consumer.stop()

    async def declare_members_dead(self) -> None:
        """What the brokers do by themselves once the session of a killed worker has timed out."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            (described,) = await admin.describe_consumer_groups([self.group])
            for member in described.groups[0][5]:
                coordinator = await admin.find_coordinator(self.group)
                await admin._send_request(LeaveGroupRequest(self.group, member[0]), coordinator)
        finally:
            await admin.close()
