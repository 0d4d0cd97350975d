"""Devices whose reports changed, for those who follow devices: ClickHouse is asked every few seconds, once for all.

Nobody follows, nobody asks. What is told again does no harm; when ClickHouse is away it is told later. Of partitions
whose worker is far behind the others a change may stay untold, so a follower that must know asks again now and then.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final, Protocol

import structlog

from fleet.heartbeats.batch import DeviceKey
from storage.device_changes import CHANGES_LIMIT, ChangedDevice

ASKED_EVERY_S: Final = 2.0
"""A look takes milliseconds for a million devices; who waits for a device waits for its heartbeat, a minute apart."""

OVERLAP_MS: Final = 60_000
"""Each look goes back so far behind the newest change: partitions are written by workers of different pace."""

_KEPT: Final = 10_000
"""Changes kept for followers that are slow; older ones go untold."""

_BEGINS_BEFORE: Final = 10.0
"""Seconds: a follower first hears of what changed so long before, since it listed a moment ago."""

_log = structlog.get_logger(__name__)


class Changes(Protocol):
    """Where changes are asked for: `storage.device_changes.ChangeReader`. Both block."""

    def latest_ms(self) -> int:
        """When the newest change was received, Unix milliseconds."""

    def changed_since(self, since_ms: int) -> list[ChangedDevice]:
        """Devices that changed after a time, oldest first."""


class Reports:
    """The changes of a process. `wake` lets followers look; `clock` gives seconds of a steady clock."""

    def __init__(self, changes: Changes, wake: Callable[[], None], clock: Callable[[], float]) -> None:
        self._changes = changes
        self._wake = wake
        self._clock = clock
        self._kept: deque[tuple[float, DeviceKey]] = deque(maxlen=_KEPT)
        self._end = 0
        self._followers = 0
        self._asking: asyncio.Task[None] | None = None

    @contextmanager
    def followed(self) -> Iterator[int]:
        """Somebody follows: the place to read from."""
        self._followers += 1
        if self._asking is None:
            self._asking = asyncio.get_running_loop().create_task(self._ask(), name="asking for reports")
        try:
            recent = sum(1 for noted_s, _ in self._kept if noted_s > self._clock() - _BEGINS_BEFORE)
            yield self._end - recent
        finally:
            self._followers -= 1
            if not self._followers:
                self._asking.cancel()
                self._asking = None

    def read(self, place: int) -> tuple[list[DeviceKey], int]:
        """What changed from a place on, each device once, and the place after it."""
        if not self.has_more(place):
            return [], place
        start = self._end - len(self._kept)
        return list(dict.fromkeys(key for _, key in islice(self._kept, max(0, place - start), None))), self._end

    def has_more(self, place: int) -> bool:
        """Whether something changed from a place on."""
        return place < self._end

    async def _ask(self) -> None:
        told: dict[DeviceKey, int] = {}
        since_ms: int | None = None
        while True:
            try:
                if since_ms is None:
                    since_ms = await asyncio.to_thread(self._changes.latest_ms) - int(_BEGINS_BEFORE * 1000)
                changed = await asyncio.to_thread(self._changes.changed_since, since_ms)
            except Exception as error:  # noqa: BLE001 - whatever keeps it away, followers hear later
                _log.warning("reports not read for watches", error=repr(error)[:500])
            else:
                self._note([each.key for each in changed if told.get(each.key) != each.sequence])
                told = {each.key: each.sequence for each in changed}
                if changed:
                    newest_ms = changed[-1].received_at_ms
                    # In a storm the overlap alone could fill every look.
                    since_ms = newest_ms if len(changed) >= CHANGES_LIMIT else max(since_ms, newest_ms - OVERLAP_MS)
            await asyncio.sleep(ASKED_EVERY_S)

    def _note(self, keys: list[DeviceKey]) -> None:
        if not keys:
            return
        self._kept.extend((self._clock(), key) for key in keys)
        self._end += len(keys)
        self._wake()
