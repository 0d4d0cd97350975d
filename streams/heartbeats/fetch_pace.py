"""How long the next fetch of heartbeats waits at the broker, and for how much, by what the last one brought.

What a fetch brings is one batch, and a batch costs ClickHouse some 100 ms of processor time whatever it holds. So while
many heartbeats come they gather longer; where the worker is behind nothing waits.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

BUSY_BYTES: Final = 4_000_000
"""After a fetch that brought so much, some four thousand heartbeats, …"""

BUSY_TIMES: Final = 1.5
"""… the next one may wait so many times as long."""

_FULL: Final = 0.9
"""Share of what a partition may bring at a time from which on it has more waiting: it was cut off between records."""

_ENOUGH: Final = 0.75
"""Share of what a fetch may bring at which it is answered at once, so that hardly a partition is cut off."""


class FetchLimits(NamedTuple):
    """What one fetch may bring, of a partition and in all."""

    partition_bytes: int
    total_bytes: int


class NextFetch(NamedTuple):
    """The next fetch is answered when `min_bytes` are there or after `wait_ms`."""

    wait_ms: int
    min_bytes: int


def next_fetch(brought_bytes: Sequence[int], partitions: int, wait_ms: int, limits: FetchLimits) -> NextFetch:
    """After a fetch that brought so much of each partition that had any; `partitions` are asked, `wait_ms` is usual."""
    if any(size >= limits.partition_bytes * _FULL for size in brought_bytes):
        return NextFetch(wait_ms, 1)
    times = BUSY_TIMES if sum(brought_bytes) >= BUSY_BYTES else 1
    return NextFetch(int(wait_ms * times), int(min(limits.partition_bytes * partitions, limits.total_bytes) * _ENOUGH))
