"""The topics, their partition counts and what the broker is told about them.

A topic's partition count never changes, because a device's heartbeats must stay in one partition: more partitions
means a new topic and a new epoch.
"""

from typing import NamedTuple

from settings import Settings

HOUR_MS = 3_600_000

_ROOM_BYTES = 65_536
"""For what a decision adds of its own: uids, times, the identity beside a signed request."""


class Topic(NamedTuple):
    """A topic as set-up creates it. `retention_ms` of -1 keeps records for ever."""

    name: str
    partitions: int
    retention_ms: int
    record_limit_bytes: int


class Topics(NamedTuple):
    """The four topics of an installation."""

    heartbeats: Topic
    commands: Topic
    feed: Topic
    dead_letters: Topic


def topics(prefix: str, heartbeat_partitions: int, heartbeat_retention_h: int, record_limit_bytes: int) -> Topics:
    """The topics under a prefix (`muster` unless two installations share a cluster).

    Heartbeats must outlive the longest outage of the stream workers. Commands and the feed can be loaded again from
    ClickHouse, so a week serves late readers. Dead letters wait for a person: a month.

    What follows from a record is larger than the record: an outcome holds the new resource with the status it kept,
    a dead letter its reason. One that no record held would be tried for ever, so these two topics have room for it.
    """
    following_limit_bytes = 2 * record_limit_bytes + _ROOM_BYTES
    return Topics(
        heartbeats=Topic(
            f"{prefix}.heartbeats", heartbeat_partitions, heartbeat_retention_h * HOUR_MS, record_limit_bytes
        ),
        commands=Topic(f"{prefix}.commands", 1, 7 * 24 * HOUR_MS, record_limit_bytes),
        feed=Topic(f"{prefix}.feed", 1, 7 * 24 * HOUR_MS, following_limit_bytes),
        dead_letters=Topic(f"{prefix}.dead-letters", 3, 30 * 24 * HOUR_MS, following_limit_bytes),
    )


def topics_of(settings: Settings) -> Topics:
    """The topics as the settings want them."""
    kafka, heartbeats = settings.kafka, settings.heartbeats
    return topics(kafka.topic_prefix, heartbeats.partitions, heartbeats.retention_h, kafka.record_limit_bytes)


def heartbeats_group(prefix: str, epoch: int) -> str:
    """The consumer group of the heartbeat workers: one an epoch, since offsets of another topic mean nothing."""
    return f"{prefix}-heartbeats-{epoch}"
