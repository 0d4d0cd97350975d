"""What the brokers say the topics are: their ids, partitions and whether they hold records.

A topic deleted and made anew has another id, and nothing else tells. librdkafka is the one client here that shows it.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from fleet.errors import UnavailableError
from streams.kafka_security import NO_SECURITY, KafkaSecurity

TIMEOUT_S: Final = 10.0

_AGAIN_S: Final = 0.1

_PASSING: Final = frozenset(
    {
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
"""What brokers answer while a partition is new or moves, for a moment."""

_SILENT = logging.getLogger("muster.streams.librdkafka")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class FoundTopic(NamedTuple):
    """A topic as the brokers have it."""

    topic_id: str
    partitions: int


def admin_client(servers: str, security: KafkaSecurity = NO_SECURITY) -> AdminClient:
    """A client for the brokers; it connects when it is used, and says nothing on standard error."""
    return AdminClient({"bootstrap.servers": servers, "log_level": 0, **security.for_librdkafka()}, logger=_SILENT)


def find_topics(admin: AdminClient, names: Sequence[str]) -> dict[str, FoundTopic]:
    """Those of the topics that exist, by name. Blocks. Raises UnavailableError when no broker answers in time."""
    return _found(_describe(admin, names))


async def look_for_topics(admin: AdminClient, names: Sequence[str]) -> dict[str, FoundTopic]:
    """As `find_topics` without a thread, since a process that is told to stop would wait for one as long as it asks."""
    described = _describe(admin, names)
    await asyncio.gather(*map(asyncio.wrap_future, described.values()), return_exceptions=True)
    return _found(described)


def _describe(admin: AdminClient, names: Sequence[str]) -> dict[str, Future[Any]]:
    described: dict[str, Future[Any]] = admin.describe_topics(TopicCollection(list(names)), request_timeout=TIMEOUT_S)
    return described


def _found(described: Mapping[str, Future[Any]]) -> dict[str, FoundTopic]:
    found = {}
    for name, future in described.items():
        try:
            topic = future.result(TIMEOUT_S + 1)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                continue
            raise unavailable(error) from error
        found[name] = FoundTopic(str(topic.topic_id), len(topic.partitions))
    return found


def topics_with_records(admin: AdminClient, found: dict[str, FoundTopic]) -> list[str]:
    """Names of the topics that hold at least one record. Blocks. Raises UnavailableError."""
    partitions = [TopicPartition(name, number) for name, topic in found.items() for number in range(topic.partitions)]
    first = _offsets(admin, partitions, OffsetSpec.earliest())
    last = _offsets(admin, partitions, OffsetSpec.latest())
    return sorted({name for (name, number), offset in last.items() if offset > first[name, number]})


def _offsets(admin: AdminClient, partitions: Sequence[TopicPartition], spec: OffsetSpec) -> dict[tuple[str, int], int]:
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        futures = admin.list_offsets(dict.fromkeys(partitions, spec), request_timeout=TIMEOUT_S)
        try:
            return {(key.topic, key.partition): future.result(TIMEOUT_S + 1).offset for key, future in futures.items()}
        except KafkaException as error:
            if error.args[0].code() not in _PASSING or time.monotonic() > deadline:
                raise unavailable(error) from error
        time.sleep(_AGAIN_S)


def unavailable(error: KafkaException) -> UnavailableError:
    """The brokers' answer as ours."""
    return UnavailableError(f"Kafka does not do as asked: {error.args[0].str()}")
