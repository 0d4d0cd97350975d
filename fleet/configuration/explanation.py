"""Why a device's configuration is what it is: for each of its fields the resource it comes from, and what it replaced.

Source: CONTRACT.md “What a device's configuration is made of”: a set's sections replace the device's own one by one,
even where the set leaves one empty; what nobody gives has a default. Values of Secrets are never shown.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from fleet.configuration.workload_index import Workload
from fleet.decisions.commands import JSONObject, ResourceKey
from fleet.decisions.signed_request import DEVICE_KIND, MEMBER_OF_LABEL
from fleet.decisions.state import FleetState

HIDDEN: Final = "<hidden>"

_SPEC_SECTIONS: Final = {
    "heartbeat": "heartbeat",
    "metrics": "metrics",
    "mounts": "mounts",
    "os": "osInformation",
    "storage": "storage",
    "log-collection": "logCollection",
}

_DEFAULTS: Final = {
    "heartbeat.period_seconds": ("heartbeat", "periodSeconds"),
    "heartbeat.hardware_profile": ("heartbeat", "hardwareProfile"),
    "metrics.receiver.request_num_samples": ("metrics", "receiverConfiguration", "requestNumSamples"),
    "metrics.receiver.timeout_seconds": ("metrics", "receiverConfiguration", "timeoutSeconds"),
    "mounts": ("mounts",),
}
"""Fields that are there in any case, and where a spec gives them."""

_S3: Final = ("storage", "s3")
_REFERENCES: Final = {
    "storage.s3.bucket_": ("ConfigMap", (*_S3, "configMapName")),
    "storage.s3.aws_": ("Secret", (*_S3, "secretName")),
    "metrics.receiver.caCert": ("Secret", ("metrics", "receiverConfiguration", "caSecretName")),
    "metrics.system.allow_list": ("ConfigMap", ("metrics", "system", "allowList", "name")),
    "metrics.data-transfer.allow_list": ("ConfigMap", ("metrics", "dataTransfer", "allowList", "name")),
}
"""Fields whose value a spec takes from another resource, and where it names that."""


class Origin(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Where a value comes from. Without a resource it is a default. `because` says why that resource counts here."""

    resource: str = ""
    revision: str = ""
    because: str = ""


class ExplainedField(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One field; `value` is None where what is `replaced`, the device's own value, has nothing in its place."""

    field: str
    value: Any
    origin: Origin
    replaced: Any = None
    replaced_origin: Origin | None = None


class Explained(msgspec.Struct, frozen=True):
    """A device as it is explained. Bodies are as stored; `own` is the configuration it would have without its set."""

    device: JSONObject
    device_set: JSONObject | None
    hardware_labels: Mapping[str, str]
    content: JSONObject
    own: JSONObject
    workloads: list[Workload]


def explain(state: FleetState, explained: Explained) -> list[ExplainedField]:
    """Every field of the configuration, sections first, then workloads and secrets."""
    return [
        *_sections(state, explained),
        *(field for workload in explained.workloads for field in _workload(state, explained, workload)),
        *(
            ExplainedField(f"secrets.{each['name']}", HIDDEN, _origin(state, explained, "Secret", each["name"]))
            for each in explained.content["secrets"]
        ),
    ]


def _sections(state: FleetState, explained: Explained) -> Iterator[ExplainedField]:
    fields, own = dict(_leaves(explained.content["configuration"])), dict(_leaves(explained.own))
    is_set = explained.device_set is not None
    for field in sorted(fields.keys() | own.keys() if is_set else fields.keys()):
        origin = _section_origin(state, explained, field)
        value = _shown(field, fields.get(field))
        if not is_set or not _is_given(explained.device, field) or own.get(field) in (None, fields.get(field)):
            if field in fields:
                yield ExplainedField(field, value, origin)
            continue
        yield ExplainedField(field, value, origin, _shown(field, own[field]), _of(state, explained.device, ""))


def _section_origin(state: FleetState, explained: Explained, field: str) -> Origin:
    source = explained.device if explained.device_set is None else explained.device_set
    because = ""
    if explained.device_set is not None:
        name = explained.device_set["metadata"]["name"]
        because = f"label {MEMBER_OF_LABEL}={name} of {_owner(explained, MEMBER_OF_LABEL)}"
    if not _is_given(source, field):
        # An empty section of a set counts, too: it puts the default in the place of the device's own.
        return _of(state, source, because) if because and _is_given(explained.device, field) else Origin()
    for start, (kind, path) in _REFERENCES.items():
        if field.startswith(start) and (name := _at(source, path)):
            return _origin(state, explained, kind, name, f"named by {_label(source)}")
    return _of(state, source, because)


def _workload(state: FleetState, explained: Explained, workload: Workload) -> Iterator[ExplainedField]:
    (content,) = (each for each in explained.content["workloads"] if each["name"] == workload.name)
    origin = _origin(state, explained, "EdgeWorkload", workload.name, _selected_because(explained, workload))
    for field, value in _leaves({key: part for key, part in content.items() if key != "configmaps"}):
        is_secret = field.startswith("imageRegistries.")
        yield ExplainedField(f"workloads.{workload.name}.{field}", HIDDEN if is_secret else value, origin)
    for number, text in enumerate(content.get("configmaps") or ()):
        yield ExplainedField(f"workloads.{workload.name}.configmaps.{number}", text, origin)


def _selected_because(explained: Explained, workload: Workload) -> str:
    if workload.device:
        return "spec.device names the device"
    labels = {**explained.hardware_labels, **(explained.device["metadata"].get("labels") or {})}
    body = msgspec.to_builtins(workload.spec).get("deviceSelector") or {}
    keys = [*(body.get("matchLabels") or {}), *(each["key"] for each in body.get("matchExpressions") or ())]
    if not keys:
        return "spec.deviceSelector matches every device"
    told = [f"{key}={labels[key]} of {_owner(explained, key)}" if key in labels else f"no {key}" for key in keys]
    return f"spec.deviceSelector matches {', '.join(told)}"


def _owner(explained: Explained, label: str) -> str:
    own = explained.device["metadata"].get("labels") or {}
    return _label(explained.device) if label in own else "the hardware"


def _is_given(body: JSONObject, field: str) -> bool:
    section = _SPEC_SECTIONS[field.partition(".")[0]]
    return _at(body, _DEFAULTS.get(field, (section,))) is not None


def _at(body: JSONObject, path: tuple[str, ...]) -> Any:
    value: Any = body.get("spec") or {}
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _of(state: FleetState, body: JSONObject, because: str) -> Origin:
    kind = body.get("kind", DEVICE_KIND)
    return _found(state, ResourceKey(kind, body["metadata"]["namespace"], body["metadata"]["name"]), because)


def _origin(state: FleetState, explained: Explained, kind: str, name: str, because: str = "") -> Origin:
    return _found(state, ResourceKey(kind, explained.device["metadata"]["namespace"], name), because)


def _found(state: FleetState, key: ResourceKey, because: str) -> Origin:
    held = state.get(key)
    return Origin(f"{key.kind}/{key.name}", str(held.revision) if held else "", because)


def _label(body: JSONObject) -> str:
    return f"{body.get('kind', DEVICE_KIND)}/{body['metadata']['name']}"


def _shown(field: str, value: Any) -> Any:
    is_secret = value is not None and (field.startswith("storage.s3.aws_") or field == "metrics.receiver.caCert")
    return HIDDEN if is_secret else value


def _leaves(content: JSONObject, start: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{start}{key}.")
        else:
            yield f"{start}{key}", value
