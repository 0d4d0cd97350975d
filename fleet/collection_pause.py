"""Keeps Python's cyclic garbage collector out of one computation that makes much and leaves no cycles.

It goes through all that is alive whenever enough was allocated, and took half of the fold's time (docs/decisions/0017).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Collect nothing in here. For what is bounded and awaits nothing: all threads of the process are concerned."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
