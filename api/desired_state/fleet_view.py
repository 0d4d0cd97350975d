"""What this process knows of the fleet: the state as of the last outcome applied, and how current it is.

Until the first load nothing is known, and absent means nothing; afterwards absent means unknown to the installation.
When the feed is lost the view goes on serving what it has, and says how old that is.
"""

from collections.abc import Callable
from typing import Final

from api.desired_state.recent_changes import RecentChanges
from fleet.decisions.commands import Outcome
from fleet.decisions.state import FleetState
from fleet.devices.states import DeviceIdentity

LOST_AFTER_S: Final = 5.0
"""Kafka is asked every half second, so a process that knew nothing for this long has lost its feed."""


class FleetView:
    """The process's state. `clock` gives seconds of a steady clock; `stale_after_s` bounds trust in an old view.

    `changes_limit` is how many changes are held for those who follow resources.
    """

    def __init__(
        self, initial_namespace: str, stale_after_s: float, clock: Callable[[], float], *, changes_limit: int = 1000
    ) -> None:
        self.state = FleetState(initial_namespace)
        self.recent = RecentChanges(changes_limit)
        self.is_loaded = False
        self.loads = 0
        self.applied_outcomes = 0
        self._stale_after_s = stale_after_s
        self._clock = clock
        self._current_s = clock()
        self._watchers: list[Callable[[Outcome], None]] = []

    def watch(self, watcher: Callable[[Outcome], None]) -> None:
        """Call for every outcome of the feed once it is applied, those applied before included."""
        self._watchers.append(watcher)

    def replace(self, state: FleetState) -> None:
        """Begin anew from a state just loaded. Never one older than what was served."""
        if state.revision >= self.state.revision or not self.is_loaded:
            self.state = state
            self.recent.restart(state.revision)
        self.is_loaded = True
        self.loads += 1

    def apply(self, outcome: Outcome) -> None:
        """Take the next outcome of the feed."""
        self.applied_outcomes += self.recent.applied(self.state, outcome)
        for watcher in self._watchers:
            watcher(outcome)

    def note_current(self) -> None:
        """Note that everything in the feed has been applied."""
        self._current_s = self._clock()

    @property
    def age_s(self) -> float:
        """Seconds since this process last knew that it had applied the whole feed."""
        return self._clock() - self._current_s

    def is_lost(self) -> bool:
        """Whether changes may have been missed; what is served may be old by `age_s`."""
        return self.is_loaded and self.age_s > LOST_AFTER_S

    def is_stale(self) -> bool:
        """Whether the feed has been lost for longer than registrations may rely on it."""
        return self.age_s > self._stale_after_s

    def identity(self, device_id: str) -> DeviceIdentity | None:
        """Where a device stands, if it was ever heard of."""
        return self.state.identities.get(device_id)
