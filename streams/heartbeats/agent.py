"""The Faust agent of heartbeats: takes batches, has them folded and written, commits; nothing leaves its loop.

While one batch is written the next is folded, and no further: a batch is committed when it is written, in its turn.
What comes meanwhile is the batch after it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import faust
import stamina

from streams.gathering import gathered
from streams.heartbeats.parcels import PARCELS_OF_A_FETCH, records_of
from streams.heartbeats.received import HeartbeatRecord, RecordsMissingError
from streams.heartbeats.writer import HeartbeatWriter
from streams.offset_commits import OffsetCommits

_LONGEST_PAUSE_S = 2.0
"""Between tries: short, so that heartbeats are seen soon after ClickHouse is back."""

_PARCELS_WITHIN_S = 0.1
"""A fetch's parcels follow each other: when none has come for so long it was all of them."""

_FETCHES_AT_ONCE = 2
"""A batch's at most, and so many are held for the next one, where the worker is behind."""


def add_heartbeat_agent(app: faust.App, topic: str, writer: HeartbeatWriter) -> None:
    """Let the app read the heartbeats topic into the writer."""
    records = app.topic(
        topic, key_type=bytes, key_serializer="raw", value_type=bytes, value_serializer="raw", acks=False
    )
    commits = OffsetCommits(app, topic)

    async def write_heartbeats(stream: Any) -> None:
        fetches = stream.noack_take(PARCELS_OF_A_FETCH, within=_PARCELS_WITHIN_S)
        at_once = _FETCHES_AT_ONCE * PARCELS_OF_A_FETCH
        writing = asyncio.create_task(asyncio.sleep(0))
        async with aclosing(gathered(fetches, at_once=at_once, takes_ahead=_FETCHES_AT_ONCE)) as batches:
            async for events in batches:
                batch = _records(events, app.consumer_generation_id)
                await _retried(partial(writer.fold, batch))
                await writing
                writing = asyncio.create_task(_finish(batch))

    async def _finish(batch: Sequence[HeartbeatRecord]) -> None:
        await _retried(writer.store)
        await commits.commit({record.partition: record.offset + 1 for record in batch})

    async def _retried(step: Callable[[], Awaitable[None]]) -> None:
        try:
            async for attempt in stamina.retry_context(
                on=_is_mendable, attempts=None, timeout=None, wait_max=_LONGEST_PAUSE_S
            ):
                with attempt:
                    await step()
        except RecordsMissingError as error:
            # Faust would go on with the next batch, whose commit would cover what is missing.
            await app.crash(error)
            raise

    async def forget(_: Any, _partitions: Any, **_options: Any) -> None:
        writer.forget()

    app.agent(records, name="heartbeats", concurrency=1)(write_heartbeats)
    app.on_partitions_revoked.connect(forget, weak=False)
    app.on_partitions_assigned.connect(forget, weak=False)


def _is_mendable(error: Exception) -> bool:
    return not isinstance(error, RecordsMissingError)


def _records(events: Sequence[Any], generation: int) -> list[HeartbeatRecord]:
    """Records of this generation of the group: those fetched before a rebalance come again to whoever owns them."""
    return [
        HeartbeatRecord(record.partition, record.offset, record.timestamp, record.value)
        for message in (event.message for event in events)
        if message.generation_id == generation
        for record in records_of(message)
    ]
