"""Sends the resealing of Secrets through the command log and waits until all who follow the feed have it.

What is asked for twice is done once: a Secret that has the key already, or other content by now, stays as it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from fleet.decisions.commands import Request
from fleet.errors import UnavailableError
from fleet.position import pack_sequence
from streams.commands.feed_publisher import FeedPublisher
from streams.commands.records import encode_requests
from streams.kafka_producer import KafkaProducer

_LOOK_EVERY_S = 0.1
_RECORD_SHARE = 0.5
"""Of the largest record: room for what MessagePack adds around each Secret."""


async def send_in_order(
    requests: Sequence[tuple[Request, int]], producer: KafkaProducer, topic: str, epoch: int, within_s: float
) -> int:
    """Write requests, each given with its size in bytes, to the log; the revision of the last.

    Raises UnavailableError when there is no connection within the time, or a record was not acknowledged.
    """
    await _until(lambda: _answer(value=producer.is_up), within_s, "Kafka does not answer")
    revision = 0
    for portion in _portions(requests, int(producer.value_limit_bytes * _RECORD_SHARE)):
        offset = await producer.send(topic, 0, encode_requests(portion))
        revision = pack_sequence(epoch, offset, len(portion) - 1)
    return revision


async def until_published(feed: FeedPublisher, revision: int, within_s: float) -> None:
    """Return when the feed answers the log up to a revision. Raises UnavailableError after the time."""

    async def is_published() -> bool:
        return (await feed.last_position() or 0) >= revision

    await _until(is_published, within_s, "the deciding worker (`python -m streams commands`) does not answer")


def _portions(requests: Sequence[tuple[Request, int]], limit_bytes: int) -> Iterator[list[Request]]:
    portion: list[Request] = []
    size = 0
    for request, request_bytes in requests:
        if portion and size + request_bytes > limit_bytes:
            yield portion
            portion, size = [], 0
        portion.append(request)
        size += request_bytes
    if portion:
        yield portion


async def _answer(*, value: bool) -> bool:
    return value


async def _until(condition: Callable[[], Awaitable[bool]], within_s: float, otherwise: str) -> None:
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + within_s
    while not await condition():
        if loop.time() > deadline_s:
            raise UnavailableError(f"{otherwise}: start it and run the command again, which goes on where it was")
        await asyncio.sleep(_LOOK_EVERY_S)
