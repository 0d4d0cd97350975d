"""Decides registrations: the gate through which a device gets its certificate, and the key that becomes its identity.

Any registered device can ask for a certificate in another's name and the request looks the same, so the key decides:
the same one may always renew; another may come until the first is proven to have reached its device; afterwards only
an operator can let one in. Every other key is told to the operator.
"""

import msgspec

from fleet.decisions.commands import DeviceEvent, ProveKey, RegisterDevice, ResetKey, SetHardwareLabels
from fleet.decisions.identity_changes import identity_change
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Verdict, accepted, refused, unchanged
from fleet.devices.states import DeviceIdentity, DeviceState


def register_device(state: FleetState, command: RegisterDevice, at_ms: int) -> Verdict:
    """A device shows its key."""
    device_id = command.device_id
    identity = state.identities.get(device_id)
    if identity is None or identity.state not in (DeviceState.APPROVED, DeviceState.REGISTERED):
        return refused("forbidden", f"device {device_id} is {state.device_state(device_id)}, not approved")
    if identity.namespace != command.namespace:
        return refused("not-found", f"device {device_id} is not in namespace {command.namespace}")
    known_key = identity.key_fingerprint or identity.former_key_fingerprint
    if identity.state is DeviceState.APPROVED:
        new = msgspec.structs.replace(
            identity,
            state=DeviceState.REGISTERED,
            key_fingerprint=command.key_fingerprint,
            is_key_proven=False,
            hardware_labels=command.hardware_labels,
            labels_sequence=command.sequence,
            registered_at_ms=at_ms,
        )
        is_other_key = bool(known_key) and known_key != command.key_fingerprint
        return accepted(identity_change(new), events=(_key_changed(new, known_key),) if is_other_key else ())
    if known_key == command.key_fingerprint:
        return _with_labels(identity, command.hardware_labels, command.sequence)
    if identity.is_key_proven and not identity.may_change_key:
        message = f"a registration with another key ({_short(command.key_fingerprint)}) than the device's was refused"
        return refused(
            "forbidden",
            f"device {device_id} holds a certificate for another key: an operator must let the new one in "
            f"with `muster device reset-key {device_id}`",
            DeviceEvent(identity.namespace, device_id, "warn", "KeyRefused", message),
        )
    new = msgspec.structs.replace(
        identity,
        key_fingerprint=command.key_fingerprint,
        is_key_proven=False,
        may_change_key=False,
        hardware_labels=command.hardware_labels,
        labels_sequence=max(identity.labels_sequence, command.sequence),
        registered_at_ms=at_ms,
    )
    return accepted(identity_change(new), events=(_key_changed(new, known_key),))


def prove_key(state: FleetState, command: ProveKey) -> Verdict:
    """A device used its certificate, so the key it registered has reached it."""
    identity = registered_in(state, command.device_id, command.namespace)
    if identity is None:
        return refused("not-found", f"device {command.device_id} is not registered in namespace {command.namespace}")
    if identity.key_fingerprint != command.key_fingerprint:
        return refused("conflict", f"device {command.device_id} has registered another key since")
    if identity.is_key_proven:
        return unchanged()
    return accepted(identity_change(msgspec.structs.replace(identity, is_key_proven=True)))


def reset_key(state: FleetState, command: ResetKey) -> Verdict:
    """An operator lets a device register another key. The leave ends with it; the same key may renew meanwhile."""
    device_id = command.device_id
    identity = registered_in(state, device_id, command.namespace)
    if identity is None:
        return refused("not-found", f"device {device_id} is not registered in namespace {command.namespace}")
    if identity.state is not DeviceState.REGISTERED:
        return refused("conflict", f"device {device_id} is {identity.state}: it registers no more")
    if identity.may_change_key:
        return unchanged()
    event = DeviceEvent(
        identity.namespace, device_id, "info", "KeyReset", "an operator lets it register another key, once"
    )
    return accepted(identity_change(msgspec.structs.replace(identity, may_change_key=True)), events=(event,))


def set_hardware_labels(state: FleetState, command: SetHardwareLabels) -> Verdict:
    """A device's hardware claims other labels than before."""
    identity = registered_in(state, command.device_id, command.namespace)
    if identity is None:
        return refused("not-found", f"device {command.device_id} is not registered in namespace {command.namespace}")
    return _with_labels(identity, command.hardware_labels, command.sequence)


def _with_labels(identity: DeviceIdentity, labels: dict[str, str], sequence: int) -> Verdict:
    """Labels as of a place in the heartbeats' log: what a worker that was cut off says late counts no more."""
    if 0 < sequence < identity.labels_sequence:
        return unchanged("a later heartbeat has told the hardware labels already")
    if identity.hardware_labels == labels and sequence <= identity.labels_sequence:
        return unchanged()
    sequence = max(sequence, identity.labels_sequence)
    return accepted(
        identity_change(msgspec.structs.replace(identity, hardware_labels=labels, labels_sequence=sequence))
    )


def registered_in(state: FleetState, device_id: str, namespace: str) -> DeviceIdentity | None:
    """A device that is served in a namespace, one being deleted included; None for any other."""
    identity = state.identities.get(device_id)
    if identity is None or identity.namespace != namespace:
        return None
    return identity if identity.state in (DeviceState.REGISTERED, DeviceState.DELETING) else None


def _key_changed(identity: DeviceIdentity, former: str) -> DeviceEvent:
    message = f"registered with key {_short(identity.key_fingerprint)}; before it was {_short(former)}"
    return DeviceEvent(identity.namespace, identity.device_id, "warn", "KeyChanged", message)


def _short(fingerprint: str) -> str:
    return fingerprint[:16]
