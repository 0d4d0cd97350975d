"""Finds records that Kafka still keeps of Secrets sealed with a key: in the commands, the feed and the dead letters.

Every record is read as bytes, since what holds a Secret may lie inside another record. So this reads as much as the
topics hold: a week of changes, a month of dead letters.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from fleet.errors import UnavailableError
from streams.kafka_security import NO_SECURITY, KafkaSecurity
from streams.topics import Topic

_FETCH_BYTES: Final = 16_000_000
_SILENT_S: Final = 30.0
"""Brokers that send nothing of what they said they have for this long are not answering."""


class KeyUse(NamedTuple):
    """Records of one topic that hold something sealed with a key. Times are Unix milliseconds.

    Kafka drops a record some time after `kept_until_ms`, when the whole segment of the log it lies in is that old.
    """

    topic: str
    records: int
    kept_until_ms: int


async def find_key_uses(
    bootstrap: str, topics: Sequence[Topic], key_ids: Iterable[str], *, security: KafkaSecurity = NO_SECURITY
) -> dict[str, list[KeyUse]]:
    """The uses of each key, a use a topic. Raises UnavailableError and Kafka's errors."""
    marks = {key_id: _mark(key_id) for key_id in key_ids}
    uses: dict[str, list[KeyUse]] = {key_id: [] for key_id in marks}
    for topic in topics:
        for key_id, (count, newest_ms) in (await _look_through(bootstrap, topic, marks, security)).items():
            uses[key_id].append(KeyUse(topic.name, count, newest_ms + topic.retention_ms))
    return uses


def _mark(key_id: str) -> bytes:
    """How a seal of this key begins inside a record, whether that is MessagePack or has been packed once more."""
    return msgspec.msgpack.encode("key_id") + msgspec.msgpack.encode(key_id)


async def _look_through(
    bootstrap: str, topic: Topic, marks: dict[str, bytes], security: KafkaSecurity
) -> dict[str, tuple[int, int]]:
    """By key: how many records, and the time of the newest."""
    found: dict[str, tuple[int, int]] = {}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=max(_FETCH_BYTES, topic.record_limit_bytes),
        **security.for_aiokafka(),
    )
    try:
        await consumer.start()
        places = [TopicPartition(topic.name, partition) for partition in range(topic.partitions)]
        consumer.assign(places)
        begins = await consumer.beginning_offsets(places)
        ends = {place: end for place, end in (await consumer.end_offsets(places)).items() if end > begins[place]}
        for place in places:
            consumer.seek(place, begins[place])
        while ends:
            fetched = await consumer.getmany(*ends, timeout_ms=int(_SILENT_S * 1000))
            if not fetched:
                raise UnavailableError(f"{topic.name} is silent about what it says it holds: try again")
            for place, records in fetched.items():
                for record in records:
                    for key_id, mark in marks.items():
                        if mark in (record.value or b""):
                            count, newest_ms = found.get(key_id, (0, 0))
                            found[key_id] = (count + 1, max(newest_ms, record.timestamp))
                if records and records[-1].offset + 1 >= ends[place]:
                    del ends[place]
            await asyncio.sleep(0)
    finally:
        await consumer.stop()
    return found
