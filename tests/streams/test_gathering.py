"""What is gathered while a reader is busy, on iterators that give when they are told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from streams.gathering import gathered


class Source:
    """Gives takes as they are put in, and notes how many it gave and that it was closed."""

    def __init__(self, *takes: list[int]) -> None:
        self._takes: asyncio.Queue[list[int] | Exception | None] = asyncio.Queue()
        self.given = 0
        self.is_closed = False
        for take in takes:
            self.put(take)

    def put(self, take: list[int] | Exception | None) -> None:
        """Something to give, to raise, or None for the end."""
        self._takes.put_nowait(take)

    async def takes(self) -> AsyncIterator[list[int]]:
        """All that is put in until the end."""
        try:
            while (take := await self._takes.get()) is not None:
                if isinstance(take, Exception):
                    raise take
                self.given += 1
                yield take
        finally:
            self.is_closed = True


async def _turns() -> None:
    """Long enough for whatever can go on without us."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_came_meanwhile_is_one_batch() -> None:
    """A busy reader gets it all; one that waits gets the first that comes."""
    source = Source([1])
    async with aclosing(gathered(source.takes(), at_once=10, takes_ahead=3)) as batches:
        assert await anext(batches) == [1]
        source.put([2, 3])
        source.put([4])
        await _turns()
        assert await anext(batches) == [2, 3, 4]
        coming = asyncio.ensure_future(anext(batches))
        await _turns()
        assert not coming.done()
        source.put([5])
        assert await coming == [5]


async def test_a_batch_ends_when_it_has_enough() -> None:
    """Takes are not cut; what is left is the next one's."""
    source = Source([0, 0, 0], [1, 2], [3, 4], [5, 6])
    source.put(None)
    async with aclosing(gathered(source.takes(), at_once=3, takes_ahead=5)) as batches:
        assert await anext(batches) == [0, 0, 0]
        await _turns()
        assert [batch async for batch in batches] == [[1, 2, 3, 4], [5, 6]]


async def test_no_more_is_read_ahead_than_said() -> None:
    """Two that wait and the one that waits to wait: memory is bounded, whatever the reader does."""
    source = Source(*[[number] for number in range(9)])
    async with aclosing(gathered(source.takes(), at_once=1, takes_ahead=2)) as batches:
        assert await anext(batches) == [0]
        await _turns()
        assert source.given == 4


async def test_an_error_comes_after_what_came_before_it() -> None:
    """Nothing that was given is lost."""
    source = Source([1])
    async with aclosing(gathered(source.takes(), at_once=1, takes_ahead=2)) as batches:
        assert await anext(batches) == [1]
        source.put([2])
        source.put(ValueError("broken"))
        await _turns()
        assert await anext(batches) == [2]
        with pytest.raises(ValueError, match="broken"):
            await anext(batches)


async def test_closing_closes_what_is_read() -> None:
    """In the middle of it as well as while its reader waits."""
    source = Source([1], [2])
    async with aclosing(gathered(source.takes(), at_once=1, takes_ahead=1)) as batches:
        assert await anext(batches) == [1]
    assert source.is_closed

    source = Source()
    async with aclosing(gathered(source.takes(), at_once=1, takes_ahead=1)) as batches:
        waiting = asyncio.ensure_future(anext(batches))
        await _turns()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert source.is_closed
