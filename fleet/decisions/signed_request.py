"""Reads and builds EdgeDeviceSignedRequests: the resource by which operators see, approve and decline who asks to join.

Its fields and the types of its conditions are those of `contract/crd/…edgedevicesignedrequest.yaml`.
"""

from typing import Final, Literal, NamedTuple

from fleet.decisions.commands import Change, JSONObject, ResourceKey
from fleet.decisions.resource_bodies import created, timestamp

SIGNED_REQUEST_KIND: Final = "EdgeDeviceSignedRequest"
DEVICE_KIND: Final = "EdgeDevice"
API_VERSION: Final = "management.project-flotta.io/v1alpha1"
MEMBER_OF_LABEL: Final = "flotta/member-of"


class Wish(NamedTuple):
    """What a signed request asks for. An empty `target_set` is none."""

    target_namespace: str
    target_set: str
    is_approved: bool


def read_wish(body: JSONObject, initial_namespace: str) -> Wish:
    """The wish of a signed request; without a target the initial namespace is meant."""
    spec = body.get("spec") or {}
    return Wish(
        spec.get("targetNamespace") or initial_namespace, spec.get("targetSet") or "", spec.get("approved") is True
    )


def declining_message(status: object) -> str | None:
    """The operator's words when a status declines the request, or None when it does not.

    The CRD spells the condition `declined`, Kubernetes' habit is `Declined`: both are meant.
    """
    conditions = status.get("conditions") if isinstance(status, dict) else None
    for condition in conditions or ():
        if not isinstance(condition, dict):
            continue
        if str(condition.get("type")).lower() == "declined" and condition.get("status") == "True":
            return str(condition.get("message") or condition.get("reason") or "declined by an operator")
    return None


def new_request(key: ResourceKey, wish: Wish, features: JSONObject, uid: str, created_at_ms: int) -> JSONObject:
    """The request of a device that enrolled."""
    spec: JSONObject = {"targetNamespace": wish.target_namespace, "approved": wish.is_approved, "features": features}
    if wish.target_set:
        spec["targetSet"] = wish.target_set
    return created(
        {
            "apiVersion": API_VERSION,
            "kind": SIGNED_REQUEST_KIND,
            "metadata": {"name": key.name, "namespace": key.namespace},
            "spec": spec,
        },
        uid,
        created_at_ms,
    )


def with_features_of(held: JSONObject, body: JSONObject) -> JSONObject:
    """An operator's request with what the device told about itself, unless the operator says otherwise."""
    features = (held.get("spec") or {}).get("features")
    spec = body.get("spec") or {}
    return body if features is None or "features" in spec else body | {"spec": spec | {"features": features}}


def with_spec(body: JSONObject, **fields: object) -> JSONObject:
    """A request with fields of its spec set."""
    spec = body.get("spec") or {}
    if spec | fields == spec:
        return body
    metadata = body["metadata"]
    return body | {
        "metadata": metadata | {"generation": metadata.get("generation", 0) + 1},
        "spec": spec | fields,
    }


def with_condition(
    body: JSONObject, condition_type: Literal["pending", "approved", "declined"], message: str, at_ms: int
) -> JSONObject:
    """A request in one condition: it replaces the others, which exclude each other."""
    condition = {
        "type": condition_type,
        "status": "True",
        "message": message,
        "lastTransitionTime": timestamp(at_ms),
    }
    return body | {"status": {"conditions": [condition]}}


def new_device(device_id: str, namespace: str, target_set: str, uid: str, created_at_ms: int) -> JSONObject:
    """The device that an approval creates, a member of the target set if there is one."""
    metadata: JSONObject = {"name": device_id, "namespace": namespace}
    if target_set:
        metadata["labels"] = {MEMBER_OF_LABEL: target_set}
    return created(
        {"apiVersion": API_VERSION, "kind": DEVICE_KIND, "metadata": metadata, "spec": {}}, uid, created_at_ms
    )


def request_key(device_id: str, initial_namespace: str) -> ResourceKey:
    """Where a device's signed request is."""
    return ResourceKey(SIGNED_REQUEST_KIND, initial_namespace, device_id)


def device_key(device_id: str, namespace: str) -> ResourceKey:
    """Where a device is."""
    return ResourceKey(DEVICE_KIND, namespace, device_id)


def gone(key: ResourceKey) -> Change:
    """The change that removes a resource."""
    return Change(key, None)
