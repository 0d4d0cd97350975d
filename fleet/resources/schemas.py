"""The schemas of the kinds, made from the models that judge them, so that what is explained is what is accepted.

Source of the shape: Kubernetes' OpenAPI v3 documents.
"""

from typing import Any, Final

import msgspec

from fleet.decisions.commands import JSONObject
from fleet.resources.data import ConfigMap, Secret
from fleet.resources.device import EdgeDevice, EdgeDeviceSet
from fleet.resources.kinds import FLOTTA_GROUP, KINDS, Kind
from fleet.resources.playbook import EdgeConfig, PlaybookExecution
from fleet.resources.signed_request import SignedRequest
from fleet.resources.status import ConditionStatus, PlaybookStatus
from fleet.resources.structs import Section
from fleet.resources.workload import EdgeWorkload


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
    "PlaybookExecution": ConditionStatus,
    "EdgeConfig": PlaybookStatus,
}

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
    whole = {component_name(kind): _whole(kind, components.pop(_MODELS[kind.kind].__name__)) for kind in kinds}
    return {**components, **whole, _OBJECT_META_NAME: _OBJECT_META}


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
