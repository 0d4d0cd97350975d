"""Follows the resources of a list: what there is, if that is wanted, then each change once, in the order of revisions.

A resource that comes into the selection is ADDED, one that leaves it DELETED. What devices report is no change of
theirs, but told as one, soon after it is stored: so `kubectl wait` sees it. The number of followers is bounded; each
reads the shared changes at its own pace, and one that falls behind them is told to begin anew.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import nullcontext
from typing import Final, NamedTuple

from api.desired_state.recent_changes import RecentChanges, SeenChange
from api.resources.reads import Page, ResourceReads
from api.resources.watches.event_lines import EventLines, expired
from api.resources.watches.reports import Reports
from api.resources.watches.wanted import Wanted
from fleet.decisions.commands import JSONObject, ResourceKey
from fleet.decisions.signed_request import DEVICE_KIND
from fleet.errors import UnavailableError
from fleet.heartbeats.batch import DeviceKey
from fleet.resources import Kind

BOOKMARK_EVERY_S: Final = 60.0

_AT_ONCE: Final = 500
"""Resources or changes told before the next are read."""


_NOWHERE: Final = -1
"""A place that is behind all that are held."""


class _Progress(NamedTuple):
    """Where a follower is among the changes and, if it follows devices, the reports; the last revision it knows."""

    place: int
    revision: int
    reports: int


class Watches:
    """The followers of a process, up to `limit` at a time. `clock` gives seconds of a steady clock."""

    def __init__(
        self, reads: ResourceReads, recent: RecentChanges, reports: Reports, limit: int, clock: Callable[[], float]
    ) -> None:
        self._reads = reads
        self._recent = recent
        self._reports = reports
        self._limit = limit
        self._clock = clock
        self._followers = 0
        self._is_stopping = False

    def stop(self) -> None:
        """End all watches: clients open them again, at another process or this one's successor."""
        self._is_stopping = True
        self._recent.wake()

    def check_room(self) -> None:
        """Raise UnavailableError when there are too many followers, or nothing is loaded to be followed."""
        _ = self._reads.state
        if self._followers >= self._limit:
            raise UnavailableError(f"{self._limit} watches are open (MUSTER_API_WATCHES): try again")

    async def follow(
        self, kind: Kind, namespace: str | None, wanted: Wanted, lines: EventLines
    ) -> AsyncIterator[bytes]:
        """The lines of one watch until its time is over."""
        self._followers += 1
        try:
            yield b""  # lets the headers go before there is anything to tell
            place = self._recent.end
            since = self._reads.state.revision
            if wanted.since is None:
                async for body in self._all(kind, namespace, wanted):
                    yield lines.event("ADDED", body)
            else:
                since, found = wanted.since, self._recent.place_after(wanted.since)
                place = _NOWHERE if found is None else found
            with self._reports.followed() if kind.kind == DEVICE_KIND else nullcontext(_NOWHERE) as reports:
                at = _Progress(place, since, reports)
                async for line in self._changes(kind, namespace, wanted, lines, at):
                    yield line
        finally:
            self._followers -= 1

    async def _changes(
        self, kind: Kind, namespace: str | None, wanted: Wanted, lines: EventLines, at: _Progress
    ) -> AsyncIterator[bytes]:
        ends_s = self._clock() + wanted.timeout_s
        bookmark_s = min(ends_s, self._clock() + BOOKMARK_EVERY_S)
        since = at.revision
        is_over = False
        while not (self._is_stopping or is_over):
            if not self._has_reports(at):
                await self._recent.wait(at.place, bookmark_s - self._clock())
            changes = self._recent.read(at.place, _AT_ONCE)
            if changes is None:
                yield expired()
                return
            # Another process may have told of changes that are yet to come here. One revision may have many changes,
            # of which a reading ends amid: so it is never the last revision told that these are compared with.
            told = [each for each in changes if each.revision > since and _is_of(each, kind, namespace)]
            for type_, body in await self._events(told, wanted):
                yield lines.event(type_, body)
            if changes:
                at = _Progress(at.place + len(changes), max(at.revision, changes[-1].revision), at.reports)
            # One look at the clock for both, or the last bookmark could fall between two.
            now_s = self._clock()
            is_over = now_s >= ends_s
            if now_s >= bookmark_s and len(changes) < _AT_ONCE:
                bookmark_s = min(ends_s, now_s + BOOKMARK_EVERY_S)
                if wanted.has_bookmarks:
                    yield lines.bookmark(at.revision)
            if self._has_reports(at):
                reported, place = self._reports.read(at.reports)
                at = at._replace(reports=place)
                for body in await self._reported(reported, namespace, wanted):
                    yield lines.event("MODIFIED", body)

    def _has_reports(self, at: _Progress) -> bool:
        return at.reports != _NOWHERE and self._reports.has_more(at.reports)

    async def _reported(self, devices: Sequence[DeviceKey], namespace: str | None, wanted: Wanted) -> list[JSONObject]:
        """Devices of the selection as they report now; none while ClickHouse does not answer."""
        found = []
        for home, device_id in devices:
            held = self._reads.state.get(ResourceKey(DEVICE_KIND, home, device_id))
            if held and namespace in (None, home) and wanted.selection.selects(home, device_id, held):
                found.append(self._reads.shown(held.body, held.revision))
        told: list[JSONObject] = []
        for start in range(0, len(found), _AT_ONCE):
            completed = await self._reads.completed(found[start : start + _AT_ONCE])
            told += [] if completed.warnings else completed.bodies
        return told

    async def _all(self, kind: Kind, namespace: str | None, wanted: Wanted) -> AsyncIterator[JSONObject]:
        """What there is, page by page."""
        after: tuple[str, str] | None = ("", "")
        while after is not None:
            listed = await self._reads.list(kind, namespace, Page(after, _AT_ONCE), wanted.selection)
            for body in (await self._reads.completed(listed["items"])).bodies:
                yield body
            after = _last(listed["items"]) if "continue" in listed["metadata"] else None

    async def _events(self, changes: list[SeenChange], wanted: Wanted) -> list[tuple[str, JSONObject]]:
        """What changes are to a follower, each with the resource as it is shown."""
        types: list[str] = []
        bodies: list[JSONObject] = []
        for change in changes:
            namespace, name = change.key.namespace, change.key.name
            was = change.before and wanted.selection.selects(namespace, name, change.before)
            is_ = change.after and wanted.selection.selects(namespace, name, change.after)
            held = change.after or change.before
            if held is None or not (was or is_):
                continue
            types.append("DELETED" if not is_ else "MODIFIED" if was else "ADDED")
            bodies.append(self._reads.shown(held.body, change.after.revision if change.after else change.revision))
        return list(zip(types, (await self._reads.completed(bodies)).bodies, strict=True))


def _is_of(change: SeenChange, kind: Kind, namespace: str | None) -> bool:
    return change.key.kind == kind.kind and namespace in (None, change.key.namespace)


def _last(bodies: list[JSONObject]) -> tuple[str, str]:
    metadata = bodies[-1]["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
