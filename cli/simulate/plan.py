"""What a simulated fleet is and how often its devices call: frozen values, scaled from the agent's own intervals."""

import ssl
from typing import NamedTuple

from cli.simulate.device_plane import DevicePlane

AGENT_PERIOD_S = 60.0
"""The agent's usual period of heartbeats; its other intervals below belong to it."""

AGENT_ENROL_S = 10.0
AGENT_POLL_S = 5.0


class ManagementPlane(NamedTuple):
    """Where the fleet's operator calls, and with which token, if any."""

    address: str
    tls: ssl.SSLContext | None
    token: str


class FleetPlan(NamedTuple):
    """One simulated fleet. `seed` decides every content; two runs of one plan send the same hardware and heartbeats."""

    devices: int
    period_s: float
    duration_s: float | None
    seed: int
    is_approving: bool
    namespace: str
    initial_namespace: str
    prefix: str
    operator: ManagementPlane
    devices_at: DevicePlane

    @property
    def scale(self) -> float:
        """How much faster than an agent with the usual period the devices call; never slower."""
        return min(1.0, self.period_s / AGENT_PERIOD_S)

    @property
    def enrol_s(self) -> float:
        """Pause between two tries to enrol."""
        return AGENT_ENROL_S * self.scale

    @property
    def poll_s(self) -> float:
        """Interval of each of the two polls: registration and configuration (CONTRACT.md “How often”)."""
        return AGENT_POLL_S * self.scale

    def device_id(self, index: int) -> str:
        """The id of a device; `device_index` reads it back."""
        return f"{self.prefix}-{index:06d}"

    def device_index(self, device_id: str) -> int | None:
        """Which device of this fleet has the id, if any."""
        prefix, _, number = device_id.rpartition("-")
        if prefix != self.prefix or not (number.isascii() and number.isdigit()):
            return None
        index = int(number)
        return index if index < self.devices and self.device_id(index) == device_id else None

    def starts_after_s(self, index: int) -> float:
        """When a device starts: spread evenly over one period, as a fleet that was switched on over time is."""
        return self.period_s * index / self.devices
