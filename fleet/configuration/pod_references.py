"""Which Secrets and ConfigMaps a pod refers to, and which of their keys it cannot do without.

As in Flotta: `env` and `envFrom` of containers and init containers for both kinds, volumes for ConfigMaps alone. A
resource that is only referred to optionally may be missing; one reference that is not optional makes it required.
"""

from fleet.configuration.references import References
from fleet.resources.pod import PodSpec
from fleet.resources.structs import UNSET

RequiredKeys = dict[str, set[str] | None]
"""By name of the resource: the keys it must have, or None when the resource itself is optional."""


def secret_references(pod: PodSpec) -> RequiredKeys:
    """The Secrets of a pod."""
    required: RequiredKeys = {}
    for container in (*pod.init_containers, *pod.containers):
        for source in container.env_from:
            if source.secret_ref is not UNSET:
                _require(required, source.secret_ref.name, None, is_optional=source.secret_ref.optional)
        for variable in container.env:
            if variable.value_from is not UNSET and variable.value_from.secret_key_ref is not UNSET:
                ref = variable.value_from.secret_key_ref
                _require(required, ref.name, ref.key, is_optional=ref.optional)
    return required


def config_map_references(pod: PodSpec) -> RequiredKeys:
    """The ConfigMaps of a pod."""
    required: RequiredKeys = {}
    for container in (*pod.init_containers, *pod.containers):
        for source in container.env_from:
            if source.config_map_ref is not UNSET:
                _require(required, source.config_map_ref.name, None, is_optional=source.config_map_ref.optional)
        for variable in container.env:
            if variable.value_from is not UNSET and variable.value_from.config_map_key_ref is not UNSET:
                ref = variable.value_from.config_map_key_ref
                _require(required, ref.name, ref.key, is_optional=ref.optional)
    for volume in pod.volumes:
        if volume.config_map is not UNSET:
            _require(required, volume.config_map.name, None, is_optional=volume.config_map.optional)
    return required


def check_keys(references: References, kind: str, name: str, keys: set[str], wanted_by: str) -> None:
    """Raise ConfigurationError unless the resource is there with every key."""
    body = references.required(kind, name, wanted_by)
    for key in sorted(keys):
        if key not in (body.get("data") or {}):
            raise references.missing_key(kind, name, key, wanted_by)


def _require(required: RequiredKeys, name: str, key: str | None, *, is_optional: bool) -> None:
    if is_optional:
        required.setdefault(name, None)
        return
    keys = required.get(name)
    required[name] = (keys or set()) | ({key} if key is not None else set())
