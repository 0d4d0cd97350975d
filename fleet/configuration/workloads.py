"""List `workloads`: what the device runs, as its agent reads it. Empty parts are left out."""

from collections.abc import Mapping

from fleet.configuration.allow_lists import allow_list
from fleet.configuration.pod_config_maps import config_map_list
from fleet.configuration.references import References
from fleet.configuration.workload_index import Workload
from fleet.decisions.commands import JSONObject
from fleet.resources.structs import UNSET, UnsetType
from fleet.resources.workload import Data, DataPath, WorkloadMetrics

PODMAN_PREFIX = "podman/"
"""Only labels and annotations with it reach the device, without it."""

AUTH_FILE_KEY = ".dockerconfigjson"


def workload_list(workloads: list[Workload], references: References) -> list[JSONObject]:
    """The workloads in the order given. Raises ConfigurationError."""
    return [_workload(workload, references) for workload in workloads]


def _workload(workload: Workload, references: References) -> JSONObject:
    spec = workload.spec
    parts: JSONObject = {
        "labels": _podman(workload.labels),
        "annotations": _podman(workload.annotations),
        "data": _data(spec.data),
        "log_collection": spec.log_collection or None,
        "imageRegistries": _image_registries(workload, references),
        "metrics": _metrics(workload, references),
        "configmaps": config_map_list(workload, references),
    }
    section = {"name": workload.name, "namespace": workload.namespace, "specification": workload.specification}
    return section | {name: part for name, part in parts.items() if part}


def _podman(entries: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix(PODMAN_PREFIX): value for key, value in entries.items() if key.startswith(PODMAN_PREFIX)}


def _data(data: Data | UnsetType) -> JSONObject | None:
    if data is UNSET:
        return None
    paths = {"egress": _paths(data.egress), "ingress": _paths(data.ingress)}
    return {name: path for name, path in paths.items() if path}


def _paths(paths: list[DataPath] | UnsetType) -> list[JSONObject]:
    return [{"source": path.source, "target": path.target} for path in paths or []]


def _image_registries(workload: Workload, references: References) -> JSONObject | None:
    registries = workload.spec.image_registries
    if registries is UNSET or registries.secret_ref is UNSET:
        return None
    wanted_by = f"imageRegistries of EdgeWorkload {workload.name}"
    auth_file = references.secret_text(registries.secret_ref.name, AUTH_FILE_KEY, wanted_by)
    return {"authFile": auth_file} if auth_file else None


def _metrics(workload: Workload, references: References) -> JSONObject | None:
    metrics = workload.spec.metrics
    if metrics is UNSET or metrics.port is UNSET or metrics.port == 0:
        return None
    section: JSONObject = {"path": metrics.path, "port": metrics.port, "interval": metrics.interval}
    if metrics.allow_list is not UNSET:
        wanted_by = f"metrics of EdgeWorkload {workload.name}"
        section["allow_list"] = allow_list(metrics.allow_list, references, wanted_by)
    containers = _containers(metrics)
    return {**section, "containers": containers} if containers else section


def _containers(metrics: WorkloadMetrics) -> JSONObject:
    containers: JSONObject = {}
    for name, container in sorted((metrics.containers or {}).items()):
        fields = {"disabled": container.disabled, "path": container.path, "port": container.port}
        containers[name] = {field: value for field, value in fields.items() if value is not UNSET}
    return containers
