"""Decides deletions.

Deleting a device withdraws its approval; one that is registered first gets its stripped configuration, then a
tombstone keeps its id and key.
"""

import msgspec

from fleet.decisions.commands import Change, DeleteResource, FinishDeletion, ResourceKey
from fleet.decisions.identity_changes import forgotten, identity_change, removed
from fleet.decisions.playbooks import executions
from fleet.decisions.resource_bodies import timestamp
from fleet.decisions.signed_request import DEVICE_KIND, SIGNED_REQUEST_KIND, device_key, gone, request_key
from fleet.decisions.state import NAMESPACE_KIND, FleetState
from fleet.decisions.stored_resource import StoredResource
from fleet.decisions.verdict import Verdict, accepted, refused, unchanged
from fleet.devices.states import IDENTITY_KIND, DeviceState


def delete_resource(  # noqa: PLR0911 - each refusal leaves where its reason stands
    state: FleetState, command: DeleteResource, at_ms: int
) -> Verdict:
    """An operator deletes a resource."""
    key = command.key
    if key.kind == IDENTITY_KIND:
        return refused("invalid", f"{IDENTITY_KIND} is not a resource")
    held = state.get(key)
    if held is None:
        return refused("not-found", f"{key} does not exist")
    if command.expected_uid is not None and command.expected_uid != held.body["metadata"].get("uid"):
        return refused("conflict", f"{key} is not the one with uid {command.expected_uid}")
    if command.expected_revision not in (None, held.revision):
        return refused("conflict", f"{key} has changed since: read it again before you delete it")
    if key.kind == DEVICE_KIND:
        return _delete_device(state, key, held, at_ms)
    if key.kind == SIGNED_REQUEST_KIND:
        return _delete_request(state, key)
    if key.kind == NAMESPACE_KIND:
        return _delete_namespace(state, key)
    return accepted(gone(key))


def finish_deletion(state: FleetState, command: FinishDeletion) -> Verdict:
    """A device being deleted has reported its stripped configuration, or had its time."""
    identity = state.identities.get(command.device_id)
    if identity is None or identity.namespace != command.namespace:
        return refused("not-found", f"device {command.device_id} is not in namespace {command.namespace}")
    if identity.state is not DeviceState.DELETING:
        return unchanged(f"device {command.device_id} is {identity.state}")
    device = device_key(identity.device_id, identity.namespace)
    held = state.get(device)
    keys = (
        device,
        request_key(identity.device_id, state.initial_namespace),
        *(execution.key for execution in (executions(state, held.body) if held else ())),
    )
    return accepted(*(gone(key) for key in keys if state.get(key)), removed(identity))


def _delete_device(state: FleetState, key: ResourceKey, held: StoredResource, at_ms: int) -> Verdict:
    identity = state.identities.get(key.name)
    if identity is None or identity.namespace != key.namespace:
        return accepted(gone(key))
    if identity.state is DeviceState.DELETING:
        return unchanged(f"device {key.name} is being deleted already")
    if identity.state is DeviceState.REGISTERED:
        body = held.body
        body = body | {"metadata": body["metadata"] | {"deletionTimestamp": timestamp(at_ms)}}
        deleting = msgspec.structs.replace(identity, state=DeviceState.DELETING, deleting_since_ms=at_ms)
        return accepted(Change(key, body), identity_change(deleting))
    if identity.state is DeviceState.APPROVED:
        request = request_key(key.name, state.initial_namespace)
        return accepted(gone(key), *(gone(request),) * (state.get(request) is not None), forgotten(identity))
    return accepted(gone(key))


def _delete_request(state: FleetState, key: ResourceKey) -> Verdict:
    identity = state.identities.get(key.name)
    stands = state.device_state(key.name)
    if identity is None or stands not in (DeviceState.PENDING, DeviceState.DECLINED, DeviceState.APPROVED):
        return accepted(gone(key))
    device = device_key(key.name, identity.namespace)
    if stands is DeviceState.APPROVED and state.get(device):
        return accepted(gone(key), gone(device), forgotten(identity))
    return accepted(gone(key), forgotten(identity))


def _delete_namespace(state: FleetState, key: ResourceKey) -> Verdict:
    if key.name == state.initial_namespace:
        return refused("forbidden", f"namespace {key.name} is where devices enrol: it always exists")
    kinds = state.kinds_in(key.name)
    if kinds:
        return refused("conflict", f"namespace {key.name} still holds {', '.join(sorted(kinds))}: delete them first")
    return accepted(gone(key))
