"""Gives memory that was freed back to the system, where the allocator would keep it for later.

What a load leaves free is a third of what it holds afterwards, and is needed again only by another load.
"""

import ctypes
from contextlib import suppress


def return_freed_memory() -> None:
    """Blocks for some ten milliseconds without the interpreter's lock. Only glibc keeps any; others do nothing."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
