"""As much of a Kubernetes PodSpec as Muster reads: containers and what they reference. Everything else passes through.

Models here are for reading only: a pod's specification is stored and handed to the device as it was written.
"""

from msgspec import field

from fleet.decisions.commands import JSONObject
from fleet.errors import InvalidResourceError
from fleet.names import is_dns_label, shown
from fleet.resources.notes import Notes
from fleet.resources.shape import shape
from fleet.resources.structs import UNSET, Name, Section, UnsetType

PATH = "spec.pod.spec"
"""Where the specification stands in a workload."""


class KeyRef(Section):
    """One key of a Secret or a ConfigMap."""

    name: Name
    key: Name
    optional: bool = False


class ObjectRef(Section):
    """A whole Secret or ConfigMap."""

    name: Name
    optional: bool = False


class EnvSource(Section):
    """Where one variable's value comes from; other sources than these two are the device's affair."""

    secret_key_ref: KeyRef | UnsetType = UNSET
    config_map_key_ref: KeyRef | UnsetType = UNSET


class EnvVar(Section):
    """One variable."""

    name: str
    value_from: EnvSource | UnsetType = UNSET


class EnvFrom(Section):
    """Variables from all keys."""

    secret_ref: ObjectRef | UnsetType = UNSET
    config_map_ref: ObjectRef | UnsetType = UNSET


class Container(Section):
    """A container or init container."""

    name: str
    image: Name
    env: list[EnvVar] = field(default_factory=list)
    env_from: list[EnvFrom] = field(default_factory=list)


class ProjectedSource(Section):
    """A part of a projected volume."""

    config_map: ObjectRef | UnsetType = UNSET


class Projected(Section):
    """A volume put together from parts."""

    sources: list[ProjectedSource] = field(default_factory=list)


class Volume(Section):
    """A volume, as far as it names ConfigMaps."""

    name: str
    config_map: ObjectRef | UnsetType = UNSET
    projected: Projected | UnsetType = UNSET


class PodSpec(Section):
    """The parts of a pod that Muster reads."""

    containers: list[Container]
    init_containers: list[Container] = field(default_factory=list)
    volumes: list[Volume] = field(default_factory=list)


def read_pod(pod_spec: JSONObject) -> PodSpec:
    """The parts that matter. Raises InvalidResourceError with the path from the workload's top."""
    return shape(pod_spec, PodSpec, Notes(), PATH)


def check_pod(pod_spec: JSONObject) -> None:
    """A pod needs at least one container, and containers names of their own. Raises InvalidResourceError."""
    pod = read_pod(pod_spec)
    if not pod.containers:
        raise _invalid("containers", "is empty: write at least one container with name and image")
    seen: set[str] = set()
    for part, containers in (("initContainers", pod.init_containers), ("containers", pod.containers)):
        for index, container in enumerate(containers):
            part_field = f"{part}[{index}].name"
            if not is_dns_label(container.name):
                raise _invalid(
                    part_field,
                    f"{shown(container.name)} is not a name: use at most 63 lower-case letters, digits and '-'",
                )
            if container.name in seen:
                raise _invalid(part_field, f"{shown(container.name)} is there twice: rename one")
            seen.add(container.name)


def _invalid(part: str, reason: str) -> InvalidResourceError:
    path = f"{PATH}.{part}"
    return InvalidResourceError(f"{path}: {reason}", path)
