"""Warns of a device set that is named but does not exist: that is allowed, and nearly always a misspelling."""

from fleet.decisions.commands import JSONObject, ResourceKey
from fleet.decisions.signed_request import DEVICE_KIND, MEMBER_OF_LABEL, SIGNED_REQUEST_KIND
from fleet.decisions.state import FleetState
from fleet.names import shown

_SET_KIND = "EdgeDeviceSet"


def missing_set_warnings(state: FleetState, key: ResourceKey, body: JSONObject) -> list[str]:
    """At most one, for what a device is a member of or a signed request will make it one."""
    if key.kind == DEVICE_KIND:
        field, namespace = f"metadata.labels[{MEMBER_OF_LABEL}]", key.namespace
        name = (body["metadata"].get("labels") or {}).get(MEMBER_OF_LABEL)
    elif key.kind == SIGNED_REQUEST_KIND:
        spec = body.get("spec") or {}
        field, namespace, name = "spec.targetSet", spec.get("targetNamespace", ""), spec.get("targetSet")
    else:
        return []
    if not name or state.get(ResourceKey(_SET_KIND, namespace, name)):
        return []
    return [f"{field}: there is no {_SET_KIND} {shown(name)} in namespace {namespace}: it is ignored until there is"]
