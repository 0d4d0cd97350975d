"""Waiting for something that another task brings about."""

import asyncio
from collections.abc import Callable


async def eventually(condition: Callable[[], object], within_s: float = 20.0) -> None:
    """Return once the condition holds. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for belongs to the code under test, which has no event
            await asyncio.sleep(0.002)
