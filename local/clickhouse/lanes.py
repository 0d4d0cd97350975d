"""Threads for statements, in lanes: however many queries analysts have waiting, ingest finds its threads free."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, suppress
from threading import Semaphore
from typing import Final, Generic, NamedTuple, TypeVar

from local.clickhouse.errors import ClickHouseError

Piece = TypeVar("Piece")

_PIECES_AHEAD: Final = 2
"""Pieces made before the client took the last; a piece is about one block of the engine, some MB at most."""


class Lane:
    """A bounded number of threads and of statements waiting for one.

    `patience_s` is how long a thread waits for a client to take a piece before it lets the statement go.
    """

    def __init__(self, name: str, width: int, waiting: int, patience_s: float) -> None:
        self._threads = ThreadPoolExecutor(width, thread_name_prefix=name)
        self._places = width + waiting
        self._name = name
        self._patience_s = patience_s
        self._taken = 0

    def close(self) -> None:
        """Take nothing more; what runs goes on."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def pieces(self, work: Generator[Piece, None, None]) -> AsyncIterator[AsyncIterator[Piece]]:
        """Run a generator in one thread of the lane, from its first step to its last, and hand its pieces over.

        Leaving the block closes the generator at its next piece. Raises ClickHouseError 202 when the lane is full.
        """
        if self._taken >= self._places:
            raise ClickHouseError(
                202, "TOO_MANY_SIMULTANEOUS_QUERIES", f"Too many simultaneous queries of the {self._name}: try again"
            )
        self._taken += 1
        loop = asyncio.get_running_loop()
        handover: _Handover[Piece] = _Handover(loop, self._patience_s)
        loop.run_in_executor(self._threads, handover.run, work).add_done_callback(self._leave)
        try:
            async with aclosing(handover.taken()) as taken:
                yield taken
        finally:
            handover.stop()

    def _leave(self, _future: object) -> None:
        self._taken -= 1


class _End(NamedTuple):
    """The last thing handed over."""

    error: Exception | None


class _Handover(Generic[Piece]):
    """Pieces on their way from a thread to the loop, a few at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patience_s: float) -> None:
        self._loop = loop
        self._patience_s = patience_s
        self._queue: asyncio.Queue[Piece | _End] = asyncio.Queue()
        self._room = Semaphore(_PIECES_AHEAD)
        self._is_stopped = False

    def run(self, work: Generator[Piece, None, None]) -> None:
        """In the thread: make pieces until there are no more, or nobody takes them."""
        error: Exception | None = None
        try:
            for piece in work:
                if not self._room.acquire(timeout=self._patience_s):
                    raise ClickHouseError(209, "SOCKET_TIMEOUT", "The client did not take the answer in time")  # noqa: TRY301
                if self._is_stopped:
                    break
                self._put(piece)
        except Exception as failure:  # noqa: BLE001 - it is raised again where the pieces are taken
            error = failure
        finally:
            work.close()
            self._put(_End(error))

    async def taken(self) -> AsyncGenerator[Piece, None]:
        """In the loop: the pieces, then whatever ended them."""
        while True:
            piece = await self._queue.get()
            if isinstance(piece, _End):
                if piece.error is not None:
                    raise piece.error
                return
            self._room.release()
            yield piece

    def stop(self) -> None:
        """Nobody takes any more."""
        self._is_stopped = True
        self._room.release()

    def _put(self, piece: Piece | _End) -> None:
        # At the very end of the process there is no loop left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue.put_nowait, piece)
