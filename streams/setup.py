"""Makes the topics what the settings say and finds the epoch: run by set-up alone, harmless when run again.

Topics are created with explicit partitions, retention and time; of those that exist, the retention and the record limit
are brought up to date, while another number of partitions is refused. Workers and API only read what this left behind.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from fleet.errors import ConflictError, UnavailableError
from storage.epochs import TopicLife, add_epoch, next_epoch, read_epochs, topic_lives
from streams.topic_ids import TIMEOUT_S, FoundTopic, find_topics, topics_with_records, unavailable
from streams.topics import Topic, Topics


class SetUpTopics(NamedTuple):
    """What set-up found and did. `lives` is keyed by the topic's name."""

    created: list[str]
    lives: dict[str, TopicLife]
    is_new_epoch: bool


def set_up_topics(
    admin: AdminClient, client: Client, database: str, topics: Topics, *, replication: int, now: datetime
) -> SetUpTopics:
    """Create or update the topics and store a new epoch if their ids call for one.

    Nothing is changed when it refuses: ConflictError for another number of partitions, for records without a database
    that knows them, or for topics of an earlier epoch; UnavailableError when Kafka does not answer. Blocks for seconds.
    """
    names = [topic.name for topic in topics]
    found = find_topics(admin, names)
    _refuse_other_partitions(topics, found)
    epochs = read_epochs(client, database)
    if not epochs:
        _refuse_unknown_records(admin, found, database)
    missing = [topic for topic in topics if topic.name not in found]
    _create(admin, missing, replication)
    _update(admin, [topic for topic in topics if topic.name in found])
    if missing:
        found = _find_all(admin, names)
    epoch = next_epoch(epochs, {name: topic.topic_id for name, topic in found.items()})
    if epoch is not None:
        add_epoch(client, database, epoch, now)
        epochs = [*epochs, epoch]
    return SetUpTopics([topic.name for topic in missing], topic_lives(epochs), epoch is not None)


def _find_all(admin: AdminClient, names: Sequence[str]) -> dict[str, FoundTopic]:
    """The topics once every one is known to the broker that answers: a new topic takes a moment to spread."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        found = find_topics(admin, names)
        if len(found) == len(names):
            return found
        if time.monotonic() > deadline:
            raise UnavailableError(f"Kafka made {', '.join(sorted(set(names) - found.keys()))} but does not show it")
        time.sleep(0.1)


def _refuse_other_partitions(topics: Topics, found: dict[str, FoundTopic]) -> None:
    for topic in topics:
        there = found.get(topic.name)
        if there is not None and there.partitions != topic.partitions:
            change = (
                f"set MUSTER_HEARTBEATS_PARTITIONS={there.partitions}, or"
                if topic.name == topics.heartbeats.name
                else "a topic of another program? Then"
            )
            raise ConflictError(
                f"the topic {topic.name} has {there.partitions} partitions, not {topic.partitions}, and a topic's"
                f" partitions never change: {change} set MUSTER_KAFKA_TOPIC_PREFIX to a new prefix"
            )


def _refuse_unknown_records(admin: AdminClient, found: dict[str, FoundTopic], database: str) -> None:
    holding = topics_with_records(admin, found)
    if holding:
        raise ConflictError(
            f"the database {database} in ClickHouse is empty, but Kafka holds records in {', '.join(holding)}: restore"
            " the database, or, if it is meant to start empty, delete these topics or set MUSTER_KAFKA_TOPIC_PREFIX to"
            " a new prefix (records that were not stored yet are then lost)"
        )


def _create(admin: AdminClient, missing: Sequence[Topic], replication: int) -> None:
    if not missing:
        return
    # With three replicas a write needs two, so that any one machine may die; with fewer, all there are.
    in_sync = {"min.insync.replicas": str(min(2, replication))}
    new = [
        NewTopic(topic.name, topic.partitions, replication, config={**_config(topic), **in_sync}) for topic in missing
    ]
    for future in admin.create_topics(new, request_timeout=TIMEOUT_S).values():
        try:
            future.result(TIMEOUT_S + 1)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise unavailable(error) from error


def _update(admin: AdminClient, existing: Sequence[Topic]) -> None:
    if not existing:
        return
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            topic.name,
            incremental_configs=[
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                for name, value in _config(topic).items()
            ],
        )
        for topic in existing
    ]
    for future in admin.incremental_alter_configs(resources, request_timeout=TIMEOUT_S).values():
        try:
            future.result(TIMEOUT_S + 1)
        except KafkaException as error:
            raise unavailable(error) from error


def _config(topic: Topic) -> dict[str, str]:
    """Names as in Kafka's documentation of topic configurations."""
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(topic.retention_ms),
        "max.message.bytes": str(topic.record_limit_bytes),
        "message.timestamp.type": "LogAppendTime",
    }
