"""Decides who may join: devices that ask, operators who approve or decline. Only an approved request approves.

A device never chooses its set; its target namespace must exist; what waits undecided is bounded and expires.
"""

import uuid
from collections.abc import Mapping
from typing import Final

import msgspec

from fleet.decisions.commands import Change, EnrolDevice, JSONObject, PreauthoriseDevice, ResourceKey
from fleet.decisions.identity_changes import forgotten, identity_change, new_life
from fleet.decisions.resource_bodies import with_labels
from fleet.decisions.signed_request import (
    MEMBER_OF_LABEL,
    Wish,
    device_key,
    gone,
    new_device,
    new_request,
    read_wish,
    request_key,
    with_condition,
    with_spec,
)
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Limits, Verdict, accepted, refused, unchanged
from fleet.devices.states import DeviceIdentity, DeviceState

NO_LABELS: Final[Mapping[str, str]] = {}

EXPIRED_AT_ONCE: Final = 16
"""How many expired requests one new enrolment clears away: more than it adds, yet a bounded outcome."""


def enrol_device(state: FleetState, command: EnrolDevice, at_ms: int, limits: Limits) -> Verdict:
    """A device asks to join."""
    device_id = command.device_id
    stands = state.device_state(device_id)
    if stands in (DeviceState.PENDING, DeviceState.APPROVED, DeviceState.REGISTERED, DeviceState.DELETING):
        return unchanged(f"device {device_id} is {stands} already")
    if stands in (DeviceState.DECLINED, DeviceState.REVOKED):
        return refused("forbidden", f"device {device_id} is {stands}: an operator must approve it first")
    key = request_key(device_id, state.initial_namespace)
    held = state.get(key)
    wish = read_wish(held.body, state.initial_namespace) if held else Wish(command.target_namespace, "", False)
    if not state.has_namespace(wish.target_namespace):
        return refused("not-found", f"device {device_id} asks for namespace {wish.target_namespace}: it does not exist")
    # An operator who deleted a device withdrew its approval: approving it unasked would undo that.
    is_auto_approved = command.is_auto_approved and stands is DeviceState.UNKNOWN
    wish = wish._replace(is_approved=is_auto_approved)
    body = (
        with_spec(held.body, features=command.features, approved=is_auto_approved)
        if held
        else new_request(key, wish, command.features, command.uid, at_ms)
    )
    if is_auto_approved:
        return _approve(
            state,
            key,
            body,
            device_uid=command.device_uid,
            at_ms=at_ms,
            message="approved by the installation's setting",
        )
    expired = state.pending_since(at_ms - limits.pending_expiry_ms, EXPIRED_AT_ONCE)
    if state.pending_count - len(expired) >= limits.pending_limit:
        return refused(
            "forbidden", f"{limits.pending_limit} enrolments await a decision already: an operator must decide some"
        )
    return accepted(
        *(change for identity in expired for change in _expire(state, identity)),
        Change(key, with_condition(body, "pending", "awaits an operator's approval", at_ms)),
        identity_change(
            new_life(state.identities.get(device_id), device_id, DeviceState.PENDING, wish.target_namespace, at_ms)
        ),
    )


def preauthorise_device(state: FleetState, command: PreauthoriseDevice, at_ms: int) -> Verdict:
    """An operator approves a device before it asks. One that was turned away must be approved by itself."""
    device_id = command.device_id
    stands = state.device_state(device_id)
    identity = state.identities.get(device_id)
    if identity and stands in (DeviceState.APPROVED, DeviceState.REGISTERED):
        if identity.namespace != command.namespace:
            return refused(
                "conflict", f"device {device_id} is in namespace {identity.namespace}: delete it there first"
            )
        return unchanged(f"device {device_id} is {stands} already")
    if stands in (DeviceState.DECLINED, DeviceState.REVOKED):
        return refused("forbidden", f"device {device_id} is {stands}: approve it by itself")
    if stands is DeviceState.DELETING:
        return refused("conflict", f"device {device_id} is being deleted: wait until it is gone")
    key = request_key(device_id, state.initial_namespace)
    held = state.get(key)
    wish = Wish(command.namespace, command.target_set, is_approved=True)
    fields: dict[str, object] = {"targetNamespace": wish.target_namespace, "approved": True}
    if wish.target_set:
        fields["targetSet"] = wish.target_set
    body = with_spec(held.body, **fields) if held else new_request(key, wish, {}, command.uid, at_ms)
    return _approve(
        state,
        key,
        body,
        device_uid=command.device_uid,
        at_ms=at_ms,
        message="approved by an operator beforehand",
        labels=command.labels,
    )


def put_signed_request(
    state: FleetState, key: ResourceKey, held: JSONObject | None, body: JSONObject, *, uid: str, at_ms: int
) -> Verdict:
    """An operator makes or changes a request. `body` is as it would be stored; `held` is None when it is new."""
    device_id = key.name
    if key.namespace != state.initial_namespace:
        return refused("invalid", f"signed requests belong in namespace {state.initial_namespace}")
    wish = read_wish(body, state.initial_namespace)
    was = read_wish(held, state.initial_namespace) if held else None
    identity = state.identities.get(device_id)
    stands = state.device_state(device_id)
    if stands is DeviceState.DELETING:
        return refused("conflict", f"device {device_id} is being deleted: wait until it is gone")
    if identity and stands in (DeviceState.APPROVED, DeviceState.REGISTERED):
        return _put_decided(identity, key, body, was=was, wish=wish, at_ms=at_ms)
    if wish.is_approved:
        device_uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"muster:device:{uid}:{device_id}"))
        return _approve(state, key, body, device_uid=device_uid, at_ms=at_ms, message="approved by an operator")
    changes = [Change(key, body)]
    if identity and stands is DeviceState.PENDING and identity.namespace != wish.target_namespace:
        changes.append(identity_change(msgspec.structs.replace(identity, namespace=wish.target_namespace)))
    return accepted(*changes)


def decline(state: FleetState, key: ResourceKey, body: JSONObject, message: str, at_ms: int) -> Verdict:
    """An operator declines a request. Of a device that was registered this takes the certificate's use away."""
    device_id = key.name
    identity = state.identities.get(device_id)
    stands = state.device_state(device_id)
    if stands in (DeviceState.DECLINED, DeviceState.REVOKED):
        return unchanged(f"device {device_id} is {stands} already")
    if stands is DeviceState.DELETING:
        return refused("conflict", f"device {device_id} is being deleted: wait until it is gone")
    if identity and stands in (DeviceState.REGISTERED, DeviceState.REMOVED):
        new = msgspec.structs.replace(identity, state=DeviceState.REVOKED)
    else:
        namespace = identity.namespace if identity else read_wish(body, state.initial_namespace).target_namespace
        new = new_life(identity, device_id, DeviceState.DECLINED, namespace, at_ms)
    changes = [
        Change(key, with_condition(with_spec(body, approved=False), "declined", message, at_ms)),
        identity_change(new),
    ]
    if stands is DeviceState.APPROVED:
        changes.append(gone(device_key(device_id, new.namespace)))
    return accepted(*changes)


def _put_decided(
    identity: DeviceIdentity, key: ResourceKey, body: JSONObject, *, was: Wish | None, wish: Wish, at_ms: int
) -> Verdict:
    """A change of the request of a device that is approved: it may say more, but not something else."""
    if wish.target_namespace != identity.namespace:
        return refused("conflict", f"device {key.name} is in namespace {identity.namespace}: delete it there first")
    if was and was.is_approved:
        if not wish.is_approved:
            return refused("conflict", f"device {key.name} is {identity.state}: decline the request to withdraw that")
        if wish.target_set != was.target_set:
            return refused("conflict", f"device {key.name} is {identity.state}: set its {MEMBER_OF_LABEL} instead")
    elif wish.is_approved:
        body = with_condition(body, "approved", "approved by an operator", at_ms)
    return accepted(Change(key, body))


def _approve(
    state: FleetState,
    key: ResourceKey,
    body: JSONObject,
    *,
    device_uid: str,
    at_ms: int,
    message: str,
    labels: Mapping[str, str] = NO_LABELS,
) -> Verdict:
    device_id = key.name
    wish = read_wish(body, state.initial_namespace)
    if not state.has_namespace(wish.target_namespace):
        return refused("not-found", f"the target namespace {wish.target_namespace} does not exist: create it first")
    home = state.device_namespace(device_id)
    if home is not None and home != wish.target_namespace:
        return refused("conflict", f"device {device_id} is in namespace {home} already: delete it there first")
    before = state.identities.get(device_id)
    changes = [
        Change(key, with_condition(body, "approved", message, at_ms)),
        identity_change(new_life(before, device_id, DeviceState.APPROVED, wish.target_namespace, at_ms)),
    ]
    device = device_key(device_id, wish.target_namespace)
    held = state.get(device)
    wanted = {**labels, MEMBER_OF_LABEL: wish.target_set} if wish.target_set else labels
    if held is None:
        new = new_device(device_id, wish.target_namespace, wish.target_set, device_uid, at_ms)
        changes.append(Change(device, with_labels(new, wanted)))
    elif wanted:
        changes.append(Change(device, with_labels(held.body, wanted)))
    return accepted(*changes)


def _expire(state: FleetState, identity: DeviceIdentity) -> list[Change]:
    return [gone(request_key(identity.device_id, state.initial_namespace)), forgotten(identity)]
