"""The schemas of the kinds, made from the models that judge them, so that what is explained is what is accepted.

Source of the shape: Kubernetes' OpenAPI v3 documents.
"""

from typing import Any, Final

import msgspec

from fleet.decisions.commands import JSONObject
from fleet.resources.data import ConfigMap, Secret
from fleet.resources.descriptions import DESCRIPTIONS
from fleet.resources.device import EdgeDevice, EdgeDeviceSet
from fleet.resources.device_status import EdgeDeviceStatus
from fleet.resources.kinds import FLOTTA_GROUP, KINDS, Kind
from fleet.resources.playbook import EdgeConfig, PlaybookExecution
from fleet.resources.signed_request import SignedRequest, SignedRequestStatus
from fleet.resources.status import ConditionStatus, PlaybookStatus
from fleet.resources.structs import Section
from fleet.resources.workload import EdgeWorkload
from fleet.resources.workload_status import EdgeWorkloadStatus


class _Namespace(Section):
    """A place for resources and devices."""


_MODELS: Final[dict[str, type[msgspec.Struct]]] = {
    "Namespace": _Namespace,
    "Secret": Secret,
    "ConfigMap": ConfigMap,
    "EdgeDevice": EdgeDevice,
    "EdgeDeviceSet": EdgeDeviceSet,
    "EdgeWorkload": EdgeWorkload,
    "EdgeDeviceSignedRequest": SignedRequest,
    "EdgeConfig": EdgeConfig,
    "PlaybookExecution": PlaybookExecution,
}
_STATUSES: Final[dict[str, type[msgspec.Struct]]] = {
    "EdgeDevice": EdgeDeviceStatus,
    "EdgeDeviceSignedRequest": SignedRequestStatus,
    "PlaybookExecution": ConditionStatus,
    "EdgeConfig": PlaybookStatus,
    "EdgeWorkload": EdgeWorkloadStatus,
}

_KEPT_AS_IT_IS: Final = {("Pod", "spec")}
"""Fields of which nothing is left out, whatever is in them."""

_FORMATS: Final = {
    (-(1 << 31), (1 << 31) - 1): "int32",
    (-(1 << 63), (1 << 63) - 1): "int64",
}
_FORMATTED: Final = {
    "requestTime": "date-time",
    "lastTransitionTime": "date-time",
    "lastDataUpload": "date-time",
    "content": "byte",
}
"""Formats that our models do not say in their types."""

_OBJECT_META: Final[JSONObject] = {
    "type": "object",
    "description": "What every resource has: what it is called and where, labels that select it, notes about it.",
    "properties": {
        "name": {"type": "string", "description": "Unique among its kind in its namespace."},
        "namespace": {"type": "string", "description": "Where it is."},
        "labels": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Short texts by which it is selected.",
        },
        "annotations": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Texts for people and programs, which select nothing.",
        },
        "uid": {"type": "string", "description": "Made by the server, never used twice."},
        "resourceVersion": {"type": "string", "description": "Revision of the last change, by the server."},
        "generation": {"type": "integer", "description": "Counts changes of what it asks for, by the server."},
        "creationTimestamp": {"type": "string", "format": "date-time", "description": "By the server."},
        "deletionTimestamp": {"type": "string", "format": "date-time", "description": "Set while it is being deleted."},
    },
}
_OBJECT_META_NAME: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def component_name(kind: Kind) -> str:
    """What a kind's schema is called."""
    return f"{'io.project-flotta.' if kind.group == FLOTTA_GROUP else 'io.k8s.api.core.'}{kind.version}.{kind.kind}"


def group_version_kind(kind: Kind) -> dict[str, str]:
    """As OpenAPI documents name a kind."""
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def schemas(group: str, version: str) -> dict[str, Any]:
    """The components of a group's document: its kinds and all they refer to, by name."""
    kinds = [kind for kind in KINDS.values() if (kind.group, kind.version) == (group, version)]
    models = [_MODELS[kind.kind] for kind in kinds]
    statuses = [_STATUSES[kind.kind] for kind in kinds if kind.kind in _STATUSES]
    _, components = msgspec.json.schema_components([*models, *statuses], ref_template=_ref("{name}"))
    components = {name: _described(name, schema) for name, schema in components.items()}
    whole = {component_name(kind): _whole(kind, components.pop(_MODELS[kind.kind].__name__)) for kind in kinds}
    return {**components, **whole, _OBJECT_META_NAME: _OBJECT_META}


def _described(name: str, schema: JSONObject) -> JSONObject:
    """A model's schema as Kubernetes writes it, with a description for each field."""
    told = DESCRIPTIONS.get(name, {})
    properties = {
        field: _kubernetes(field, content, told.get(field, ""), is_kept=(name, field) in _KEPT_AS_IT_IS)
        for field, content in (schema.get("properties") or {}).items()
    }
    return schema | {"properties": properties}


def described_models() -> dict[str, set[str]]:
    """Every model of the kinds with the names of its fields: `fleet.resources.descriptions` tells what they mean."""
    _, components = msgspec.json.schema_components([*_MODELS.values(), *_STATUSES.values()], ref_template="{name}")
    return {name: set(schema.get("properties") or {}) for name, schema in components.items()}


def _kubernetes(field: str, content: JSONObject, description: str, *, is_kept: bool) -> JSONObject:
    """A field's schema: formats instead of the bounds of a type, a type beside an enumeration, references in allOf."""
    written = _typed(content)
    if "$ref" in written:
        written = {"allOf": [{"$ref": written.pop("$ref")}]} | written
    if field in _FORMATTED:
        written = {"type": "string", "format": _FORMATTED[field]}
    kept: JSONObject = {"x-kubernetes-preserve-unknown-fields": True} if is_kept else {}
    return written | kept | ({"description": description} if description else {})


def _typed(content: JSONObject) -> JSONObject:
    written = dict(content)
    if "enum" in written:
        written.setdefault("type", "string")
    if written.get("type") == "integer":
        low, high = written.get("minimum"), written.get("maximum")
        for (lowest, highest), name in _FORMATS.items():
            if high == highest and low is not None and low >= lowest:
                written["format"] = name
                del written["maximum"]
                if low == lowest:
                    del written["minimum"]
                break
    for part in ("items", "additionalProperties"):
        if isinstance(written.get(part), dict):
            written[part] = _typed(written[part])
    return written


def _whole(kind: Kind, content: JSONObject) -> JSONObject:
    """A kind's schema: what its model says, in the envelope that all resources have."""
    properties: JSONObject = {
        "apiVersion": {"type": "string", "description": f"Always {kind.api_version}."},
        "kind": {"type": "string", "description": f"Always {kind.kind}."},
        "metadata": {"allOf": [{"$ref": _ref(_OBJECT_META_NAME)}], "description": "Name, namespace, labels."},
        **content["properties"],
    }
    if kind.has_status:
        status = _STATUSES.get(kind.kind)
        seen: JSONObject = {"allOf": [{"$ref": _ref(status.__name__)}]} if status else {"type": "object"}
        properties["status"] = seen | {"description": "What was seen of it, by the server."}
    return {
        "type": "object",
        "description": content.get("description", kind.kind),
        "properties": properties,
        "x-kubernetes-group-version-kind": [group_version_kind(kind)],
    }


def _ref(name: str) -> str:
    return f"#/components/schemas/{name}"
