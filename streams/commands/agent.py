"""The Faust agent of the command log: takes what has come, has it answered, then commits its place.

What comes meanwhile is the next batch. An API process gathers what it is asked within a moment into one record already,
so a record that comes alone is answered at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Final

import faust
import structlog

from streams.commands.processor import CommandProcessor
from streams.commands.source import CommandRecord
from streams.gathering import gathered
from streams.offset_commits import OffsetCommits

_BATCH_RECORDS: Final = 1000
"""Records taken at a time; one carries up to thousands of commands."""

_LOOKS_EVERY_S: Final = 1.0
"""Faust's `take` looks so often whether something came, though it is told at once when one record is enough for it."""

_PAUSE_S: Final = 1.0
"""Before a batch that failed is tried again."""

_log = structlog.get_logger(__name__)


def add_command_agent(
    app: faust.App,
    topic: str,
    processor: CommandProcessor,
    loaded: Callable[[], None] = lambda: None,
) -> None:
    """Let the app answer the commands topic. `loaded` is called once the desired state has been read."""
    commands = app.topic(
        topic, key_type=bytes, key_serializer="raw", value_type=bytes, value_serializer="raw", acks=False
    )
    commits = OffsetCommits(app, topic)

    async def answer_commands(stream: Any) -> None:
        # What was stored before a crash is published now, not with the next command.
        await _until_done(processor, processor.load)
        loaded()
        singly = stream.noack_take(1, within=_LOOKS_EVERY_S)
        async with aclosing(gathered(singly, at_once=_BATCH_RECORDS, takes_ahead=_BATCH_RECORDS)) as batches:
            async for events in batches:
                records = _records(events, app.consumer_generation_id)
                if records:
                    await _until_done(processor, partial(processor.process, records))
                    await commits.commit({0: records[-1].offset + 1})

    app.agent(commands, name="commands", concurrency=1)(answer_commands)


async def _until_done(processor: CommandProcessor, step: Callable[[], Awaitable[object]]) -> None:
    """An exception that left the agent would end the worker, so what failed is tried again in place."""
    while True:
        try:
            await step()
        except Exception:  # noqa: BLE001 - logged, and whatever it was, the log waits for it
            _log.exception("commands not decided: trying again", retry_in_s=_PAUSE_S)
            processor.forget()
            await asyncio.sleep(_PAUSE_S)
        else:
            return


def _records(events: Sequence[Any], generation: int) -> list[CommandRecord]:
    """Records of this generation of the group: those fetched before a rebalance come again to whoever owns them."""
    return [
        CommandRecord(message.offset, round(message.timestamp * 1000), message.value)
        for message in (event.message for event in events)
        if message.generation_id == generation
    ]
