"""How fast the machine computes at the moment: what a fixed computation takes of processor time.

A virtual processor shares its core with what other machines do on it, which no accounting within shows: the same work
then takes up to 1.6 times as long, and so does every figure in microseconds.
"""

import time
from typing import Final

_STEPS: Final = 20_000
"""About a millisecond, which once a second disturbs nothing."""


def fixed_computation_ms() -> float:
    """Milliseconds of this thread's processor time; comparable between runs of one Python on one machine."""
    began_s = time.thread_time()
    total = 0
    for step in range(_STEPS):
        total += step * step % 7
    return (time.thread_time() - began_s) * 1000
