"""EdgeWorkload: a pod, which devices run it, and what travels with it.

Sources: the definition of edgeworkloads; CONTRACT.md “What a device's configuration is made of”.
"""

from typing import Any

from fleet.decisions.commands import JSONObject
from fleet.errors import BadInputError, InvalidResourceError
from fleet.names import check_device_id, check_label_key, check_label_value, shown
from fleet.resources.device import NamedRef
from fleet.resources.metadata import check_label
from fleet.resources.notes import Notes
from fleet.resources.pod import check_pod
from fleet.resources.shape import shape, unshape
from fleet.resources.structs import UNSET, Count, Port, Section, UnsetType

POD = "pod"
"""The one type of workload that devices know."""


class DataPath(Section):
    """A directory in the workload and one in the storage."""

    source: str
    target: str


class Data(Section):
    """What is copied from (`egress`) and to (`ingress`) the workload."""

    egress: list[DataPath] | UnsetType = UNSET
    ingress: list[DataPath] | UnsetType = UNSET


class Requirement(Section):
    """One expression of a selector; the operator is judged by `check_selector`, which says what it takes."""

    key: str
    operator: str
    values: list[str] | UnsetType = UNSET


class LabelSelector(Section):
    """All of these must hold; an empty one selects everything."""

    match_expressions: list[Requirement] | UnsetType = UNSET
    match_labels: dict[str, str] | UnsetType = UNSET


class ImageRegistries(Section):
    """The Secret whose `.dockerconfigjson` lets the device pull images."""

    secret_ref: NamedRef | UnsetType = UNSET


class ContainerMetrics(Section):
    """Scraping of one container."""

    disabled: bool | UnsetType = UNSET
    path: str = "/"
    port: Port | UnsetType = UNSET


class WorkloadMetrics(Section):
    """Scraping of a workload; `interval` in seconds."""

    allow_list: NamedRef | UnsetType = UNSET
    containers: dict[str, ContainerMetrics] | UnsetType = UNSET
    interval: Count = 60
    path: str = "/"
    port: Port | UnsetType = UNSET


class Pod(Section):
    """The pod's specification as it was written."""

    spec: dict[str, Any]


class EdgeWorkloadSpec(Section):
    """A workload. `device` takes precedence over `device_selector`; with neither it runs nowhere."""

    type: str
    pod: Pod
    data: Data | UnsetType = UNSET
    device: str | UnsetType = UNSET
    device_selector: LabelSelector | UnsetType = UNSET
    image_registries: ImageRegistries | UnsetType = UNSET
    log_collection: str | UnsetType = UNSET
    metrics: WorkloadMetrics | UnsetType = UNSET


class EdgeWorkload(Section):
    """A pod, and which devices run it."""

    spec: EdgeWorkloadSpec


def read_edge_workload(content: JSONObject, notes: Notes) -> JSONObject:
    """An EdgeWorkload without metadata and status. Raises InvalidResourceError."""
    workload = shape(_with_egress(content, notes), EdgeWorkload, notes)
    spec = workload.spec
    if spec.type != POD:
        notes.warn(f"spec.type is {shown(spec.type)}: devices run pods, write type: {POD}")
    check_pod(spec.pod.spec)
    if spec.device:
        _check_device(spec.device)
    if spec.device_selector is not UNSET:
        check_selector(spec.device_selector)
    if not spec.device and spec.device_selector is UNSET:
        notes.warn("neither spec.device nor spec.deviceSelector is there: no device will run this workload")
    return unshape(workload)


def check_selector(selector: LabelSelector, path: str = "spec.deviceSelector") -> None:
    """Raise InvalidResourceError unless the selector is one Kubernetes would take."""
    for key, value in (selector.match_labels or {}).items():
        check_label(key, value, f"{path}.matchLabels")
    for index, requirement in enumerate(selector.match_expressions or []):
        field = f"{path}.matchExpressions[{index}]"
        values = requirement.values or []
        _check_term(requirement.key, values, field)
        if requirement.operator in ("In", "NotIn"):
            if not values:
                raise InvalidResourceError(
                    f"{field}.values: {requirement.operator} compares with values: write at least one",
                    f"{field}.values",
                )
        elif requirement.operator in ("Exists", "DoesNotExist"):
            if values:
                raise InvalidResourceError(
                    f"{field}.values: {requirement.operator} takes no values: remove them", f"{field}.values"
                )
        else:
            raise InvalidResourceError(
                f"{field}.operator: {shown(requirement.operator)} is not possible: write one of In, NotIn, Exists, "
                "DoesNotExist",
                f"{field}.operator",
            )


def _check_term(key: str, values: list[str], field: str) -> None:
    at = f"{field}.key"
    try:
        check_label_key(key)
        for index, value in enumerate(values):
            at = f"{field}.values[{index}]"
            check_label_value(value)
    except BadInputError as error:
        raise InvalidResourceError(f"{at}: {error}", at) from None


def _check_device(device_id: str) -> None:
    try:
        check_device_id(device_id)
    except BadInputError as error:
        raise InvalidResourceError(f"spec.device: {error}", "spec.device") from None


def _with_egress(content: JSONObject, notes: Notes) -> JSONObject:
    """Early Flotta's `spec.data.paths` named what leaves the device: it becomes `egress`."""
    spec = content.get("spec")
    data = spec.get("data") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(data, dict) or "paths" not in data:
        return content
    rest = {key: value for key, value in data.items() if key != "paths"}
    paths, egress = data["paths"] or [], rest.get("egress") or []
    if not isinstance(paths, list) or not isinstance(egress, list):
        raise InvalidResourceError("spec.data.paths: write a list under spec.data.egress instead", "spec.data.paths")
    notes.warn("spec.data.paths is an old field, taken as spec.data.egress: write it there")
    return {**content, "spec": {**spec, "data": {**rest, "egress": [*egress, *paths]}}}
