"""What the garbage collector looks at: not the fleet, which is there to stay, and not every few hundred calls.

Nothing on the way of a hot call or through a batch refers to itself, so what the collector finds comes from the rest:
tasks that failed, clients that left. It may come seldom, but each time it looks at everything that is not frozen.
"""

import gc
from typing import Final

A_FLUSH: Final = 50_000
"""Objects made more than freed before the youngest are looked at, where a flush has thousands under way."""

A_BATCH: Final = 600_000
"""The same, where a batch has a hundred thousand."""

_OLDER: Final = (20, 20)


def collect_seldom(under_way: int = A_FLUSH) -> None:
    """From now on. So many objects may be under way at a time and be no garbage."""
    gc.set_threshold(under_way, *_OLDER)


def freeze_what_is_loaded() -> None:
    """Take what there is now for lasting, once the fleet is loaded."""
    gc.collect()
    gc.freeze()
