"""Judges from memory what the device of a call may do: the table of states, read for a namespace.

Sources: CONTRACT.md “Who may register”; `fleet.devices.states.ANSWERS`.
"""

from typing import Final, NamedTuple, Protocol

from api.devices.paths import DevicePath
from fleet.devices.states import ANSWERS, Answers, DeviceIdentity, DeviceState
from fleet.errors import ForbiddenError, NotFoundError, UnavailableError

NOT_FOUND: Final = 404
FORBIDDEN: Final = 403

_UNKNOWN: Final = ANSWERS[DeviceState.UNKNOWN]

_FORBIDDEN_REGISTRATION: Final = {
    DeviceState.PENDING: "the device waits for approval",
    DeviceState.DECLINED: "the device was declined",
}


class Devices(Protocol):
    """The devices a process knows: `api.desired_state.fleet_view.FleetView`."""

    @property
    def is_loaded(self) -> bool:
        """Whether absent means unknown."""

    def identity(self, device_id: str) -> DeviceIdentity | None:
        """Where a device stands, if it was ever heard of."""


class Standing(NamedTuple):
    """A device as a call in some namespace meets it: no identity where it is unknown."""

    identity: DeviceIdentity | None
    answers: Answers


class Standings:
    """Finds the standing for a path. Raises UnavailableError until the process has loaded."""

    def __init__(self, devices: Devices, initial_namespace: str) -> None:
        self._devices = devices
        self._initial_namespace = initial_namespace

    @property
    def is_loaded(self) -> bool:
        """Whether devices can be judged at all."""
        return self._devices.is_loaded

    def of(self, path: DevicePath) -> Standing:
        """The standing in the device's own namespace; elsewhere the device is unknown."""
        identity = self._find(path)
        if identity is None or identity.namespace != path.namespace:
            return Standing(None, _UNKNOWN)
        return Standing(identity, identity.answers)

    def asking_to_join(self, path: DevicePath) -> Standing:
        """As `of`, but a device that is not in its namespace yet speaks through the initial one."""
        identity = self._find(path)
        if identity is None:
            return Standing(None, _UNKNOWN)
        if path.namespace not in (identity.namespace, self._initial_namespace):
            raise _elsewhere(path)
        return Standing(identity, identity.answers)

    def registering(self, path: DevicePath) -> Standing:
        """As `of`, but a device known elsewhere is told so. Raises NotFoundError."""
        identity = self._find(path)
        if identity is not None and identity.namespace != path.namespace:
            raise _elsewhere(path)
        return self.of(path)

    def serving(self, path: DevicePath) -> DeviceIdentity:
        """The identity of a registered device, one being deleted included. Raises NotFoundError for any other."""
        identity = self._find(path)
        if identity is None or identity.namespace != path.namespace or identity.answers.reads == NOT_FOUND:
            raise NotFoundError(f"device {path.device_id} is not registered in namespace {path.namespace}")
        return identity

    def _find(self, path: DevicePath) -> DeviceIdentity | None:
        if not self._devices.is_loaded:
            raise UnavailableError("this process has not loaded the fleet yet: try again")
        return self._devices.identity(path.device_id)


def _elsewhere(path: DevicePath) -> NotFoundError:
    return NotFoundError(f"device {path.device_id} is not in namespace {path.namespace}")


def refuse_registration_status(standing: Standing, path: DevicePath) -> None:
    """Raise what `GET registration` is answered unless it is 200."""
    if standing.answers.registration == NOT_FOUND or standing.identity is None:
        raise NotFoundError(f"device {path.device_id} has not enrolled")
    if standing.answers.registration == FORBIDDEN:
        raise ForbiddenError(_FORBIDDEN_REGISTRATION[standing.identity.state])
