"""Gathers what an asynchronous iterator gives while its reader is busy, so that the next batch waits for nobody."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


async def gathered(
    takes: AsyncIterator[Sequence[Item]], *, at_once: int, takes_ahead: int
) -> AsyncGenerator[list[Item]]:
    """Each time all takes that are there, at least one, and none more once there are `at_once` items.

    Reads up to `takes_ahead` takes ahead, and one more. Raises what the iterator raises, after what it gave before.
    Close it when it is not read to its end (`contextlib.aclosing`).
    """
    waiting: asyncio.Queue[Sequence[Item]] = asyncio.Queue(takes_ahead)
    reading = asyncio.create_task(_read(takes, waiting))
    try:
        while (items := await _next(waiting, reading)) is not None:
            batch = list(items)
            while len(batch) < at_once and not waiting.empty():
                batch += waiting.get_nowait()
            yield batch
    finally:
        reading.cancel()
        await asyncio.wait([reading])
    await reading


async def _read(takes: AsyncIterator[Sequence[Item]], waiting: asyncio.Queue[Sequence[Item]]) -> None:
    async for items in takes:
        await waiting.put(items)


async def _next(waiting: asyncio.Queue[Sequence[Item]], reading: asyncio.Task[None]) -> Sequence[Item] | None:
    """What has waited longest, or None when nothing will come any more."""
    getting = asyncio.create_task(waiting.get())
    try:
        await asyncio.wait([getting, reading], return_when=asyncio.FIRST_COMPLETED)
        return getting.result() if getting.done() else None
    finally:
        getting.cancel()
