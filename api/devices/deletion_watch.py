"""Finishes deletions whose device never reported its stripped configuration, once it had its time.

Every API process watches; the deciding worker lets the first one's command count.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from api.desired_state.fleet_view import FleetView
from api.devices.follow_ups import FollowUps
from fleet.decisions.commands import Outcome
from fleet.devices.states import IDENTITY_KIND, DeviceState
from streams.background_task import BackgroundTask

_EVERY_S: Final = 5.0

_FINISHED_AT_ONCE: Final = 1000
"""Deletions finished in one round; the rest waits for the next."""


class DeletionWatch:
    """Knows which devices are being deleted. `wall_clock_ms` gives Unix time, as `deleting_since_ms` is."""

    def __init__(
        self, view: FleetView, follow_ups: FollowUps, timeout_ms: int, wall_clock_ms: Callable[[], int]
    ) -> None:
        self._view = view
        self._follow_ups = follow_ups
        self._timeout_ms = timeout_ms
        self._wall_clock_ms = wall_clock_ms
        self._deleting: set[str] = set()
        self._task = BackgroundTask("deletion-watch")

    def start(self) -> None:
        """Begin to watch in the background."""
        self._task.start(self._run())

    async def stop(self) -> None:
        """End."""
        await self._task.stop()

    def after_load(self) -> None:
        """The view begins anew: find the devices being deleted in it."""
        self._deleting = set(self._view.state.deleting)

    def on_outcome(self, outcome: Outcome) -> None:
        """Note devices whose deletion begins."""
        for change in outcome.changes:
            if change.key.kind == IDENTITY_KIND and change.body and change.body.get("state") == DeviceState.DELETING:
                self._deleting.add(change.key.name)

    def finish_overdue(self) -> None:
        """Send what is due, and forget devices whose deletion has ended."""
        now_ms = self._wall_clock_ms()
        sent = 0
        for device_id in list(self._deleting):
            identity = self._view.identity(device_id)
            if identity is None or identity.state is not DeviceState.DELETING:
                self._deleting.discard(device_id)
            elif now_ms - identity.deleting_since_ms >= self._timeout_ms and sent < _FINISHED_AT_ONCE:
                self._follow_ups.deletion_is_complete(identity)
                sent += 1

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            self.finish_overdue()
