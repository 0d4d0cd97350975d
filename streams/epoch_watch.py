"""Stops a worker whose topics were deleted and made anew: its positions would stand for other records."""

import asyncio
from collections.abc import Mapping

import structlog
from confluent_kafka.admin import AdminClient

from fleet.errors import ConflictError, UnavailableError
from streams.topic_ids import FoundTopic, find_topics, look_for_topics

_log = structlog.get_logger(__name__)


def refuse_other_topics(admin: AdminClient, topic_ids: Mapping[str, str]) -> None:
    """Raise ConflictError when a topic has not the id of its life any more. Blocks. Raises UnavailableError.

    `topic_ids` are by topic name, as `storage.epochs` has them.
    """
    _compare(find_topics(admin, list(topic_ids)), topic_ids)


async def confirm_topics(admin: AdminClient, topic_ids: Mapping[str, str]) -> None:
    """As `refuse_other_topics`, without blocking."""
    _compare(await look_for_topics(admin, list(topic_ids)), topic_ids)


async def watch_topics(admin: AdminClient, topic_ids: Mapping[str, str], every_s: float) -> None:
    """Return never; raise ConflictError when a topic is another one. Brokers that do not answer are no reason."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await confirm_topics(admin, topic_ids)
        except UnavailableError as error:
            _log.warning("brokers do not tell the topics' ids", reason=str(error))


def _compare(found: Mapping[str, FoundTopic], topic_ids: Mapping[str, str]) -> None:
    for name, topic_id in topic_ids.items():
        if name not in found or found[name].topic_id != topic_id:
            raise ConflictError(
                f"the topic {name} was {'made anew' if name in found else 'deleted'}: run `muster setup`, which begins"
                " a new epoch, then start again"
            )
