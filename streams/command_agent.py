"""The Faust agent of the command log: takes what has come within a moment, has it answered, acknowledges in order."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import faust
import structlog

from streams.command_processor import CommandProcessor
from streams.command_source import CommandRecord

_BATCH_RECORDS: Final = 1000
"""Records taken at a time; one carries up to thousands of commands."""

_PAUSE_S: Final = 1.0
"""Before a batch that failed is tried again."""

_log = structlog.get_logger(__name__)


def add_command_agent(app: faust.App, topic: str, processor: CommandProcessor, window_s: float) -> None:
    """Let an app answer the commands of a topic of one partition. `window_s` is how long a batch may gather."""
    commands = app.topic(topic, value_type=bytes, value_serializer="raw")

    @app.agent(commands, concurrency=1, name="commands")  # type: ignore[untyped-decorator]
    async def answer(stream: Any) -> None:
        # What was stored before a crash is published now, not with the next command.
        await _until_done(processor, processor.load)
        async for events in stream.noack_take(_BATCH_RECORDS, within=window_s):
            records = [_record(event) for event in events]
            await _until_done(processor, partial(processor.process, records))
            for event in events:
                event.ack()


async def _until_done(processor: CommandProcessor, step: Callable[[], Awaitable[object]]) -> None:
    """An exception that left the agent would lose the batch's acknowledgements, so it is tried again in place."""
    while True:
        try:
            await step()
        except Exception:  # noqa: BLE001 - logged, and whatever it was, the log waits for it
            _log.exception("commands not decided: trying again")
            processor.forget()
            await asyncio.sleep(_PAUSE_S)
        else:
            return


def _record(event: Any) -> CommandRecord:
    message = event.message
    return CommandRecord(message.offset, round(message.timestamp * 1000), message.value)
