"""Whether this process lives and is ready, and what is wrong while it is ready all the same.

Not ready means that heartbeats cannot be published or the fleet is not loaded; everything else is `degraded`: taking a
process out for it would only move the load to others that have the same trouble.
"""

from collections.abc import Callable
from typing import NamedTuple

from api.desired_state.fleet_view import FleetView
from api.devices.heartbeat_publisher import HeartbeatPublisher
from api.devices.retention_guard import RetentionGuard


class Readiness(NamedTuple):
    """`reasons` say why not ready, `degraded` what is wrong nevertheless."""

    reasons: list[str]
    degraded: list[str]

    @property
    def is_ready(self) -> bool:
        """Whether requests should come here."""
        return not self.reasons


class Health:
    """Asks the parts of one process; `certificates` gives what is wrong with those, or will be soon."""

    def __init__(
        self,
        view: FleetView,
        publisher: HeartbeatPublisher,
        guard: RetentionGuard,
        certificates: Callable[[], list[str]],
    ) -> None:
        self._view = view
        self._publisher = publisher
        self._guard = guard
        self._certificates = certificates

    def readiness(self) -> Readiness:
        """As of now."""
        reasons = []
        degraded = []
        if not self._view.is_loaded:
            reasons.append("the fleet is not loaded yet")
        if not self._publisher.can_publish:
            reasons.append("heartbeats cannot be published: Kafka is not reachable or does not acknowledge")
        if self._view.is_lost():
            consequence = "registrations are refused and " if self._view.is_stale() else ""
            degraded.append(
                f"the feed of changes was lost {self._view.age_s:.0f} s ago: {consequence}answers may be old"
            )
        if self._guard.endangered:
            degraded.append(
                f"{len(self._guard.endangered)} partitions refuse heartbeats: the unread part nears its retention"
            )
        return Readiness(reasons, degraded + self._certificates())
