"""The Faust agent of heartbeats: takes batches, has them written, commits, in this order; nothing leaves its loop."""

from collections.abc import Sequence
from typing import Any

import faust
import stamina

from settings import StreamSettings
from streams.heartbeats.writer import HeartbeatRecord, HeartbeatWriter, RecordsMissingError
from streams.offset_commits import OffsetCommits

_LONGEST_PAUSE_S = 2.0
"""Between tries: short, so that heartbeats are seen soon after ClickHouse is back."""


def add_heartbeat_agent(app: faust.App, topic: str, writer: HeartbeatWriter, settings: StreamSettings) -> None:
    """Let the app read the heartbeats topic into the writer."""
    records = app.topic(
        topic, key_type=bytes, key_serializer="raw", value_type=bytes, value_serializer="raw", acks=False
    )
    commits = OffsetCommits(app, topic)

    async def write_heartbeats(stream: Any) -> None:
        taken = stream.noack_take(settings.heartbeat_batch_records, within=settings.heartbeat_batch_ms / 1000)
        async for events in taken:
            batch = _records(events, app.consumer_generation_id)
            await _write(batch)
            await commits.commit({record.partition: record.offset + 1 for record in batch})

    async def _write(batch: Sequence[HeartbeatRecord]) -> None:
        try:
            async for attempt in stamina.retry_context(
                on=_is_mendable, attempts=None, timeout=None, wait_max=_LONGEST_PAUSE_S
            ):
                with attempt:
                    await writer.write(batch)
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
        HeartbeatRecord(message.partition, message.offset, round(message.timestamp * 1000), message.value)
        for message in (event.message for event in events)
        if message.generation_id == generation
    ]
