"""A task beside the calls of a process: started once, stopped with the process, and never dead without a word."""

import asyncio
from collections.abc import Coroutine

import structlog

_log = structlog.get_logger(__name__)


class BackgroundTask:
    """One task that runs until it is stopped. An error that ends it earlier is logged when it happens."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._task: asyncio.Task[None] | None = None

    @property
    def is_started(self) -> bool:
        """Whether it was begun."""
        return self._task is not None

    def start(self, running: Coroutine[None, None, None]) -> None:
        """Begin; returns at once. Needs a running loop."""
        self._task = asyncio.create_task(running, name=self._name)
        self._task.add_done_callback(self._tell)

    async def stop(self) -> None:
        """End it, wherever it is, and wait until it has ended. Raises nothing that it raised."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _tell(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error:
            _log.error("background task ended", task=self._name, exc_info=error)
