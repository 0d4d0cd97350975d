"""The last changes this process applied, for those who follow resources: bounded, shared by all of them.

A follower has a place among the changes and reads on from there at its own pace; one that falls behind what is still
held is told so, and begins anew. After a load from the database nothing before it is known.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from fleet.decisions.commands import Outcome, ResourceKey
from fleet.decisions.signed_request import DEVICE_KIND
from fleet.decisions.state import FleetState
from fleet.decisions.stored_resource import StoredResource
from fleet.devices.states import IDENTITY_KIND


class SeenChange(NamedTuple):
    """One resource before and after a revision; None where it did not exist.

    A device's is the same before and after when only its standing changed, which is shown as its status.
    """

    revision: int
    key: ResourceKey
    before: StoredResource | None
    after: StoredResource | None


class RecentChanges:
    """Up to `limit` changes, oldest first. Places count all changes ever noted."""

    def __init__(self, limit: int) -> None:
        self._changes: deque[SeenChange] = deque(maxlen=limit)
        self._since = 0
        self._end = 0
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def end(self) -> int:
        """The place after the last change."""
        return self._end

    def restart(self, revision: int) -> None:
        """A state was loaded as of a revision: what led to it is not known here."""
        self._changes.clear()
        self._since = revision
        self._end += 1  # no follower's place is valid any more
        self.wake()

    def applied(self, state: FleetState, outcome: Outcome) -> bool:
        """Apply an outcome to the state and note its changes. False when it was applied before."""
        keys = [change.key for change in outcome.changes if change.key.kind != IDENTITY_KIND]
        before = [state.get(key) for key in keys]
        if not state.apply_outcome(outcome):
            return False
        for key, held in zip(keys, before, strict=True):
            after = state.get(key)
            if held is None or after is None or held.revision != after.revision:  # else it was only resealed
                self._note(SeenChange(outcome.revision, key, held, after))
        for key in _standing(outcome, set(keys)):
            if (device := state.get(key)) is not None:
                self._note(SeenChange(outcome.revision, key, device, device))
        return True

    def place_after(self, revision: int) -> int | None:
        """The place of the first change after a revision; None when some of those are not held any more."""
        if revision < self._since:
            return None
        return self._start + bisect_right(self._changes, revision, key=lambda change: change.revision)

    def read(self, place: int, limit: int) -> list[SeenChange] | None:
        """Up to `limit` changes from a place on; None when it is behind what is held."""
        if place < self._start:
            return None
        return list(islice(self._changes, place - self._start, place - self._start + limit))

    async def wait(self, place: int, within_s: float) -> None:
        """Return when there is a change at a place, or after a time."""
        if place < self._end:
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(woken)
        try:
            await asyncio.wait([woken], timeout=within_s)
        finally:
            self._waiting.discard(woken)

    def wake(self) -> None:
        """Let all who wait look again."""
        for woken in self._waiting:
            if not woken.done():
                woken.set_result(None)

    @property
    def _start(self) -> int:
        return self._end - len(self._changes)

    def _note(self, change: SeenChange) -> None:
        if len(self._changes) == self._changes.maxlen:
            self._since = self._changes[0].revision
        self._changes.append(change)
        self._end += 1
        self.wake()


def _standing(outcome: Outcome, told: set[ResourceKey]) -> Iterator[ResourceKey]:
    """Devices whose standing changed, but for those that changed themselves."""
    if outcome.result != "accepted":
        return
    for change in outcome.changes:
        if change.key.kind == IDENTITY_KIND and change.body is not None:
            key = ResourceKey(DEVICE_KIND, str(change.body.get("namespace", "")), change.key.name)
            if key not in told:
                yield key
