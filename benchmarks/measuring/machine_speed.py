"""How fast the machine is at the moment: what a fixed computation takes of processor time, and what reads of memory do.

A virtual processor shares its core with what other machines do on it, and the last cache and the way to the memory
with still more of them, which no accounting within shows: the same work then takes up to 1.6 times as long, and so does
every figure in microseconds. Work on a million devices is mostly reads that no cache holds.
"""

import time
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from typing import Final

import numpy as np
from numpy.typing import NDArray

_STEPS: Final = 20_000
"""About a millisecond, which once a second disturbs nothing."""

_CELLS: Final = 8_000_000
"""64 MB: twice what the last cache of the machines we know holds."""

_READS: Final = 20_000
_WALKS: Final = 16


def fixed_computation_ms() -> float:
    """Milliseconds of this thread's processor time; comparable between runs of one Python on one machine."""
    began_s = time.thread_time()
    total = 0
    for step in range(_STEPS):
        total += step * step % 7
    return (time.thread_time() - began_s) * 1000


def random_read_ns() -> float:
    """Nanoseconds of this thread's processor time for a read at a random place, of many with some under way at once.

    What else runs here takes its part of the caches, so it is comparable between runs of the same load alone.
    """
    cells, walks = _memory()
    walk = next(walks)
    began_s = time.thread_time()
    cells.take(walk).sum()
    return (time.thread_time() - began_s) * 1e9 / len(walk)


@cache
def _memory() -> tuple[NDArray[np.int64], Iterator[NDArray[np.int64]]]:
    places = np.random.default_rng(1).integers(0, _CELLS, size=(_WALKS, _READS))
    return np.arange(_CELLS), cycle(list(places))
