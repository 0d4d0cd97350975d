"""What the C library does with memory that was freed: give it back to the system, or keep it for what comes next.

Only glibc's is told anything; others do as they like.
"""

import ctypes
from contextlib import suppress
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
"""Parameters of `mallopt`, as `malloc.h` numbers them."""

_LARGEST_KEPT_BYTES: Final = 32 << 20
"""As large as glibc takes it: anything larger is the system's again as soon as it is freed."""


def return_freed_memory() -> None:
    """Give back what a load leaves free: a third of what it holds afterwards, and needed again only by another load.

    Blocks for some ten milliseconds without the interpreter's lock.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def keep_freed_memory(kept_bytes: int) -> None:
    """From now on, up to so many bytes, in a process that soon needs as much again; to be called before any thread.

    Memory from the system comes empty, page by page: a sixth of the heartbeat worker's time was that, and of the API's
    one part in fifteen where thousands of calls waited for the same acknowledgement.
    """
    with suppress(AttributeError, OSError):
        tell = ctypes.CDLL(None).mallopt
        tell(_ARENA_MAX, 1)
        tell(_TRIM_THRESHOLD, kept_bytes)
        tell(_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)
