"""How a device's standing moves on: which parts of its identity a new life keeps, and what is left when one ends."""

import msgspec

from fleet.decisions.commands import Change, ResourceKey
from fleet.devices.states import IDENTITY_KIND, DeviceIdentity, DeviceState


def identity_change(identity: DeviceIdentity) -> Change:
    """The change that stores an identity."""
    body = msgspec.to_builtins(identity)
    body.pop("revision", None)
    return Change(ResourceKey(IDENTITY_KIND, "", identity.device_id), body)


def new_life(
    before: DeviceIdentity | None, device_id: str, state: DeviceState, namespace: str, at_ms: int
) -> DeviceIdentity:
    """The identity of a device that asks, is approved or is declined, whatever it was before.

    The key of an earlier life is remembered only to tell the operator when the next one differs: whoever approves a
    device anew may mean its replacement.
    """
    is_same_request = before is not None and before.state in (DeviceState.PENDING, DeviceState.DECLINED)
    return DeviceIdentity(
        device_id=device_id,
        state=state,
        namespace=namespace,
        former_key_fingerprint=_last_key(before),
        requested_at_ms=before.requested_at_ms if before and is_same_request else at_ms,
        approved_at_ms=at_ms if state is DeviceState.APPROVED else 0,
    )


def removed(identity: DeviceIdentity) -> Change:
    """The tombstone of a device that was registered: its id and its key."""
    return identity_change(
        DeviceIdentity(
            device_id=identity.device_id,
            state=DeviceState.REMOVED,
            namespace=identity.namespace,
            former_key_fingerprint=_last_key(identity),
            registered_at_ms=identity.registered_at_ms,
        )
    )


def forgotten(identity: DeviceIdentity) -> Change:
    """The end of a device that did not register in this life: nothing is left of it, but the tombstone of a former."""
    if identity.former_key_fingerprint:
        return removed(identity)
    return Change(ResourceKey(IDENTITY_KIND, "", identity.device_id), None)


def _last_key(identity: DeviceIdentity | None) -> str:
    return (identity.key_fingerprint or identity.former_key_fingerprint) if identity else ""
