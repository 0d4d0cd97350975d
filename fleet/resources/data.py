"""Secret and ConfigMap: bounded maps of text and bytes. Messages never repeat a value.

Sources: Kubernetes core/v1 Secret and ConfigMap.
"""

import re
from base64 import b64encode

from fleet.decisions.commands import JSONObject
from fleet.errors import InvalidResourceError
from fleet.names import NAME_LIMIT, shown
from fleet.resources.base64_text import canonical_base64
from fleet.resources.notes import Notes
from fleet.resources.shape import shape, unshape
from fleet.resources.structs import UNSET, Section, UnsetType

DATA_LIMIT_BYTES = 1024 * 1024
"""All values of one Secret or ConfigMap together, decoded, as in Kubernetes."""

_KEY = re.compile(r"[-._a-zA-Z0-9]+")

_REQUIRED_KEYS = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
"""Keys without which a Secret of that type is of no use."""


class Secret(Section):
    """Values that only those who need them see, by key: base64 in `data`, or as they are in `stringData`."""

    data: dict[str, str | None] | UnsetType = UNSET
    string_data: dict[str, str | None] | UnsetType = UNSET
    type: str = "Opaque"
    immutable: bool | UnsetType = UNSET


class ConfigMap(Section):
    """Texts and bytes by key, for workloads and for allow lists, S3 and syslog settings."""

    data: dict[str, str] | UnsetType = UNSET
    binary_data: dict[str, str] | UnsetType = UNSET
    immutable: bool | UnsetType = UNSET


def read_secret(content: JSONObject, notes: Notes) -> JSONObject:
    """A Secret without metadata; `stringData` is merged into `data` and wins. Raises InvalidResourceError."""
    secret = shape(content, Secret, notes)
    data = {key: canonical_base64(value or "", f"data[{key}]") for key, value in (secret.data or {}).items()}
    for key, text in (secret.string_data or {}).items():
        data[key] = b64encode((text or "").encode()).decode()
    _check_keys(data, "data")
    _check_size(sum(_decoded_size(value) for value in data.values()))
    for key in _REQUIRED_KEYS.get(secret.type, ()):
        if key not in data:
            raise InvalidResourceError(
                f"data[{key}] is missing: a Secret of type {secret.type} needs it", f"data[{key}]"
            )
    body: JSONObject = {"type": secret.type, "data": data}
    if secret.immutable is not UNSET:
        body["immutable"] = secret.immutable
    return body


def read_config_map(content: JSONObject, notes: Notes) -> JSONObject:
    """A ConfigMap without metadata. Raises InvalidResourceError."""
    config_map = shape(content, ConfigMap, notes)
    data, binary = config_map.data or {}, config_map.binary_data or {}
    _check_keys(data, "data")
    _check_keys(binary, "binaryData")
    for key in data.keys() & binary.keys():
        raise InvalidResourceError(f"binaryData[{key}] is in data too: rename one of them", f"binaryData[{key}]")
    canonical = {key: canonical_base64(value, f"binaryData[{key}]") for key, value in binary.items()}
    _check_size(sum(len(text.encode()) for text in data.values()) + sum(map(_decoded_size, canonical.values())))
    body = unshape(config_map)
    return {**body, "binaryData": canonical} if canonical else body


def _check_keys(data: dict[str, str], field: str) -> None:
    for key in data:
        if len(key) > NAME_LIMIT or not _KEY.fullmatch(key) or key in (".", "..") or key.startswith(".."):
            raise InvalidResourceError(
                f"{field}: key {shown(key)}: use at most {NAME_LIMIT} letters, digits, '-', '_' and '.'", field
            )


def _check_size(size: int) -> None:
    if size > DATA_LIMIT_BYTES:
        raise InvalidResourceError(
            f"data holds {size} bytes, {DATA_LIMIT_BYTES} are possible: split it into several resources", "data"
        )


def _decoded_size(text: str) -> int:
    return len(text) // 4 * 3 - text.count("=")
