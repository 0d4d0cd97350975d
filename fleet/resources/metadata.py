"""A resource's metadata: what its author may say is checked and kept, what the server says is left out.

YAML exported with `kubectl get -o yaml` carries the server's fields; it must be possible to apply it again.
"""

from fleet.decisions.commands import JSONObject
from fleet.errors import BadInputError, InvalidResourceError
from fleet.names import (
    LABEL_LIMIT,
    NAME_LIMIT,
    check_device_id,
    check_label_key,
    check_label_value,
    check_name,
    check_namespace,
    shown,
)
from fleet.resources.kinds import Kind
from fleet.resources.notes import Notes
from fleet.resources.shape import shape, unshape
from fleet.resources.structs import UNSET, Section, UnsetType

ANNOTATIONS_LIMIT_BYTES = 256 * 1024
"""All keys and values of a resource's annotations together, as in Kubernetes."""

SERVER_FIELDS = frozenset(
    {
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
        "finalizers",
        "ownerReferences",
    }
)
"""Fields of metadata that only the server writes; finalizers and owners mean nothing here."""

_KEY_SHOWN_LIMIT = NAME_LIMIT + 1 + LABEL_LIMIT
"""Characters of the longest label's key there can be."""

_NAME_CHECKS = {
    "Namespace": check_namespace,
    "EdgeDevice": check_device_id,
    "EdgeDeviceSignedRequest": check_device_id,
}


class Metadata(Section, kw_only=True):
    """What an author may say."""

    name: str
    namespace: str | UnsetType = UNSET
    labels: dict[str, str] | UnsetType = UNSET
    annotations: dict[str, str] | UnsetType = UNSET


def read_metadata(
    kind: Kind, document: JSONObject, notes: Notes, *, namespace: str | None, name: str | None
) -> tuple[JSONObject, list[str]]:
    """Checked metadata, and which of the server's fields were left out.

    `namespace` and `name` are those of the request's path, if it has them: they are filled in, and contradicted never.
    Raises InvalidResourceError.
    """
    given = document.get("metadata") or {}
    if not isinstance(given, dict):
        raise InvalidResourceError("metadata: write a mapping with at least a name", "metadata")
    stripped = sorted(f"metadata.{field}" for field in SERVER_FIELDS & given.keys() if given[field] is not None)
    own = {key: value for key, value in given.items() if key not in SERVER_FIELDS}
    own["name"] = _agreed("name", own.get("name"), name)
    if kind.is_namespaced:
        own["namespace"] = _agreed("namespace", own.get("namespace"), namespace)
    elif own.get("namespace"):
        raise InvalidResourceError(f"a {kind.kind} is in no namespace: remove metadata.namespace", "metadata.namespace")
    metadata = shape(own, Metadata, notes, "metadata")
    _check_names(kind, metadata)
    _check_labels(metadata)
    return unshape(metadata), stripped


def _agreed(field: str, given: object, asked: str | None) -> object:
    """What document and path agree on; whichever says it when only one does."""
    if given is None or given == "":
        if not asked:
            raise InvalidResourceError(f"metadata.{field} is missing: write the {field}", f"metadata.{field}")
        return asked
    if asked is not None and isinstance(given, str) and given != asked:
        raise InvalidResourceError(
            f"metadata.{field} is {shown(given)} but the request is for {shown(asked)}: make them equal",
            f"metadata.{field}",
        )
    return given


def _check_names(kind: Kind, metadata: Metadata) -> None:
    field = "metadata.name"
    try:
        _NAME_CHECKS.get(kind.kind, check_name)(metadata.name)
        if metadata.namespace is not UNSET:
            field = "metadata.namespace"
            check_namespace(metadata.namespace)
    except BadInputError as error:
        raise InvalidResourceError(f"{field}: {error}", field) from None


def _check_labels(metadata: Metadata) -> None:
    for key, value in (metadata.labels or {}).items():
        check_label(key, value, "metadata.labels")
    for key in metadata.annotations or {}:
        check_label(key.lower(), "", "metadata.annotations")
    size = sum(len(key.encode()) + len(value.encode()) for key, value in (metadata.annotations or {}).items())
    if size > ANNOTATIONS_LIMIT_BYTES:
        raise InvalidResourceError(
            f"metadata.annotations: {size} bytes are more than {ANNOTATIONS_LIMIT_BYTES}: shorten them",
            "metadata.annotations",
        )


def check_label(key: str, value: str, path: str) -> None:
    """Raise InvalidResourceError naming a key of the map at `path` unless key and value are those of a label."""
    try:
        check_label_key(key)
        check_label_value(value)
    except BadInputError as error:
        # A key without end is no help in a message.
        field = f"{path}[{key}]" if len(key) <= _KEY_SHOWN_LIMIT else path
        raise InvalidResourceError(f"{field}: {error}", field) from None
