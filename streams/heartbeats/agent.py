"""The Faust agent of heartbeats: takes batches, has them folded and written, commits; nothing leaves its loop.

While one batch is written the next is folded, and no further: a batch is committed when it is written, in its turn.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import faust
import stamina

from streams.heartbeats.parcels import records_of
from streams.heartbeats.received import HeartbeatRecord, RecordsMissingError
from streams.heartbeats.writer import HeartbeatWriter
from streams.offset_commits import OffsetCommits

_LONGEST_PAUSE_S = 2.0
"""Between tries: short, so that heartbeats are seen soon after ClickHouse is back."""

_PARCELS_AT_ONCE = 24
"""Two fetches of twelve partitions, where the worker is behind."""

_PARCELS_WITHIN_S = 0.1
"""A fetch's parcels follow each other: when none has come for so long it was all of them."""


def add_heartbeat_agent(app: faust.App, topic: str, writer: HeartbeatWriter) -> None:
    """Let the app read the heartbeats topic into the writer."""
    records = app.topic(
        topic, key_type=bytes, key_serializer="raw", value_type=bytes, value_serializer="raw", acks=False
    )
    commits = OffsetCommits(app, topic)

    async def write_heartbeats(stream: Any) -> None:
        taken = stream.noack_take(_PARCELS_AT_ONCE, within=_PARCELS_WITHIN_S)
        writing = asyncio.create_task(asyncio.sleep(0))
        async for events in taken:
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
