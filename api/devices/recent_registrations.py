"""Registrations this process took lately, so that the same bytes again are answered without storing them again.

An agent that is approved at once registers twice within seconds, each time with 17 kB of hardware. Only as long as
nothing of the device has changed since, and it has not used its certificate, is the second known to bring nothing: a
device in use may have reported other hardware meanwhile.
"""

import hashlib
from collections import OrderedDict
from typing import Final, NamedTuple

from fleet.devices.states import DeviceIdentity, DeviceState

_REMEMBERED: Final = 10_000
"""A few hundred bytes each."""


class _Taken(NamedTuple):
    digest: bytes
    revision: int


class RecentRegistrations:
    """Registrations by device. One is found again as long as the device's identity has the revision it left."""

    def __init__(self, limit: int = _REMEMBERED) -> None:
        self._limit = limit
        self._taken: OrderedDict[str, _Taken] = OrderedDict()

    def note(self, identity: DeviceIdentity, digest: bytes) -> None:
        """One was taken and its hardware stored; this is how the device stands since."""
        self._taken[identity.device_id] = _Taken(digest, identity.revision)
        self._taken.move_to_end(identity.device_id)
        if len(self._taken) > self._limit:
            self._taken.popitem(last=False)

    def was_last(self, device_id: str, digest: bytes) -> bool:
        """Whether this one was the last that was taken of the device."""
        taken = self._taken.get(device_id)
        return taken is not None and taken.digest == digest

    def stands(self, identity: DeviceIdentity) -> bool:
        """Whether the device has done nothing since the last one was taken."""
        taken = self._taken.get(identity.device_id)
        return (
            taken is not None
            and taken.revision == identity.revision
            and identity.state is DeviceState.REGISTERED
            and not identity.is_key_proven
        )


def digest_of(body: bytes) -> bytes:
    """SHA-256: whoever could make another body of the same digest would be given a certificate for its key."""
    return hashlib.sha256(body).digest()
