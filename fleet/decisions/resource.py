"""Decides the creation and replacement of resources: preconditions first, then what is particular to a kind."""

from fleet.decisions.commands import Change, JSONObject, PutResource, ResourceKey
from fleet.decisions.enrolment import decline, put_signed_request
from fleet.decisions.resource_bodies import created, replaced, with_status
from fleet.decisions.signed_request import DEVICE_KIND, SIGNED_REQUEST_KIND, declining_message, with_features_of
from fleet.decisions.state import WORKLOAD_KIND, FleetState
from fleet.decisions.stored_resource import StoredResource
from fleet.decisions.verdict import Verdict, accepted, refused, unchanged
from fleet.devices.states import IDENTITY_KIND


def put_resource(state: FleetState, command: PutResource, at_ms: int) -> Verdict:
    """Create or replace a resource, or replace its status alone."""
    key = command.key
    held = state.get(key)
    refusal = _refusal(state, command, held)
    if refusal is not None:
        return refusal
    if command.subresource == "status":
        return _put_status(state, key, held, command.body.get("status"), at_ms)
    if held is None:
        body = created(command.body, command.uid, at_ms)
        return _store(state, key, None, body, uid=command.uid, at_ms=at_ms)
    held_body = held.body
    wanted = with_features_of(held_body, command.body) if key.kind == SIGNED_REQUEST_KIND else command.body
    new = replaced(held_body, wanted)
    return unchanged() if new is None else _store(state, key, held_body, new, uid=command.uid, at_ms=at_ms)


def _refusal(  # noqa: PLR0911 - each refusal leaves where its reason stands
    state: FleetState, command: PutResource, held: StoredResource | None
) -> Verdict | None:
    key = command.key
    if key.kind == IDENTITY_KIND:
        return refused("invalid", f"{IDENTITY_KIND} is not a resource")
    if key.namespace and not state.has_namespace(key.namespace):
        return refused("not-found", f"namespace {key.namespace} does not exist: create it first")
    if held is None:
        if command.mode == "replace" or command.subresource:
            return refused("not-found", f"{key} does not exist")
        if command.expected_revision is not None:
            return refused("conflict", f"{key} does not exist any more: leave resourceVersion out to create it")
        return None
    if command.mode == "create":
        return refused("conflict", f"{key} already exists")
    if command.expected_revision not in (None, held.revision):
        return refused("conflict", f"{key} has changed since: read it again and apply your change to what it is now")
    uid = command.body["metadata"].get("uid") if isinstance(command.body.get("metadata"), dict) else None
    if uid is not None and uid != held.body["metadata"].get("uid"):
        return refused("conflict", f"{key} is not the one with uid {uid}: that was deleted")
    return None


def _store(
    state: FleetState, key: ResourceKey, held: JSONObject | None, body: JSONObject, *, uid: str, at_ms: int
) -> Verdict:
    if key.kind == SIGNED_REQUEST_KIND:
        return put_signed_request(state, key, held, body, uid=uid, at_ms=at_ms)
    if key.kind == DEVICE_KIND and held is None:
        home = state.device_namespace(key.name)
        if home is not None:
            return refused("conflict", f"device {key.name} is in namespace {home} already: a device id is used once")
    if key.kind == WORKLOAD_KIND:
        device_id = (body.get("spec") or {}).get("device")
        home = state.device_namespace(device_id) if device_id else None
        if home not in (None, key.namespace):
            return refused(
                "invalid",
                f"spec.device: device {device_id} is in namespace {home}: a workload runs on devices of its own"
                f" namespace, {key.namespace}",
            )
    return accepted(Change(key, body))


def _put_status(
    state: FleetState, key: ResourceKey, held: StoredResource | None, status: object, at_ms: int
) -> Verdict:
    if held is None:
        return refused("not-found", f"{key} does not exist")
    if key.kind == SIGNED_REQUEST_KIND:
        message = declining_message(status)
        if message is None:
            return refused(
                "invalid", "of a signed request's status only the condition declined can be set; approve with the spec"
            )
        return decline(state, key, held.body, message, at_ms)
    new = with_status(held.body, status)
    return unchanged() if new is None else accepted(Change(key, new))
