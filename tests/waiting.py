"""Waiting for something that another task, or another process, brings about."""

import asyncio
import time
from collections.abc import Callable


async def eventually(condition: Callable[[], object], within_s: float = 20.0) -> None:
    """Return once the condition holds. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for belongs to the code under test, which has no event
            await asyncio.sleep(0.002)


def wait_until(condition: Callable[[], object], within_s: float = 20.0) -> None:
    """The same from a thread."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s} s")
        time.sleep(0.05)
