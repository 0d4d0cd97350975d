"""What of one device decides its configuration, read from a state without decoding the rest of its resource."""

from typing import Final, NamedTuple

import msgspec

from fleet.decisions.commands import ResourceKey
from fleet.decisions.signed_request import DEVICE_KIND
from fleet.decisions.state import FleetState, StoredResource
from fleet.devices.labels import effective_labels
from fleet.devices.states import DeviceIdentity
from fleet.preview.side import Labels

_SERVED: Final = 200


class _Metadata(msgspec.Struct):
    labels: Labels | None = None


class _Device(msgspec.Struct):
    metadata: _Metadata
    spec: msgspec.Raw = msgspec.Raw(b"{}")


class Facts(NamedTuple):
    """A device on one side. `identity` is None when it gets no configuration there."""

    identity: DeviceIdentity | None
    labels: Labels
    spec: bytes


_decode_device = msgspec.json.Decoder(_Device).decode


def facts_of(state: FleetState, namespace: str, device_id: str) -> Facts:
    """Of a device that need not exist."""
    held = state.get(ResourceKey(DEVICE_KIND, namespace, device_id))
    identity = state.identities.get(device_id)
    if identity is not None and identity.namespace != namespace:
        identity = None
    labels, spec = _read(held)
    effective = effective_labels(labels, identity.hardware_labels) if identity else labels
    return Facts(identity if identity and identity.answers.reads == _SERVED else None, effective, spec)


def _read(held: StoredResource | None) -> tuple[Labels, bytes]:
    """A device's own labels and its spec as JSON, without the rest."""
    if held is None:
        return {}, b"{}"
    device = _decode_device(held.json)
    return device.metadata.labels or {}, bytes(device.spec)
