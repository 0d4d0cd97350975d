"""What a worker can say of itself: live while its loop turns, ready once all it waits for at its start has come.

A worker that lives without progress is not told apart here: it ends by itself (`streams.stall_watch`).
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

LIVE_WITHIN_S: Final = 30.0
"""A loop that has not turned for this long is stuck: the longest batch holds it for seconds."""

TURN_EVERY_S: Final = 1.0

PARTITIONS: Final = "partitions"
"""The brokers have said which partitions this worker reads; none is an answer too, for one that stands by."""

STATE: Final = "state"
"""What a worker decides by is loaded."""


class WorkerHealth:
    """Told by the worker's loop, asked by the threads that answer probes. `needs` are to come before it is ready."""

    def __init__(self, needs: Sequence[str] = (PARTITIONS,), clock: Callable[[], float] = time.monotonic) -> None:
        self._missing = dict.fromkeys(needs, True)
        self._clock = clock
        self._turned_s = clock()

    def has(self, need: str) -> None:
        """It has come."""
        self._missing[need] = False

    def lacks(self, need: str) -> None:
        """It has gone, as partitions do while they are given out anew."""
        self._missing[need] = True

    def turned(self) -> None:
        """The loop has come round."""
        self._turned_s = self._clock()

    @property
    def is_live(self) -> bool:
        """Whether the loop turns."""
        return self._clock() - self._turned_s < LIVE_WITHIN_S

    @property
    def missing(self) -> list[str]:
        """What it still waits for; nothing when it is ready."""
        return [need for need, is_missing in self._missing.items() if is_missing]

    async def turn(self) -> None:
        """Note each turn of the loop, for ever."""
        while True:
            self.turned()
            await asyncio.sleep(TURN_EVERY_S)
