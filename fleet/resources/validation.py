"""From a document somebody wrote to the resource that is stored: checked, completed, free of what is the server's.

The body that comes out is plain JSON values with apiVersion, kind and metadata, no unknown field, no null and the
defaults of the definitions. What was left out or reinterpreted is said in warnings. A document is never changed.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from fleet.decisions.commands import JSONObject
from fleet.errors import BadInputError
from fleet.names import shown
from fleet.resources.data import read_config_map, read_secret
from fleet.resources.device import read_edge_device, read_edge_device_set
from fleet.resources.json_values import check_json_values
from fleet.resources.kinds import Kind
from fleet.resources.metadata import read_metadata
from fleet.resources.notes import Notes
from fleet.resources.playbook import read_edge_config, read_playbook_execution
from fleet.resources.shape import shape
from fleet.resources.signed_request import read_signed_request
from fleet.resources.status import read_status
from fleet.resources.structs import Section
from fleet.resources.workload import read_edge_workload

UnknownFields = Literal["strict", "warn", "ignore"]
"""Kubernetes' `fieldValidation`: refuse unknown fields, leave them out and say so, or leave them out silently."""


class Validated(NamedTuple):
    """A resource's body as it is stored (Secrets not sealed yet), and what its author should know."""

    body: JSONObject
    warnings: list[str]


class _Namespace(Section):
    pass


def _read_namespace(content: JSONObject, notes: Notes) -> JSONObject:
    # An exported Namespace carries spec.finalizers, which are the server's like its status.
    shape({key: value for key, value in content.items() if key != "spec"}, _Namespace, notes)
    return {}


_READERS: dict[str, Callable[[JSONObject, Notes], JSONObject]] = {
    "Namespace": _read_namespace,
    "Secret": read_secret,
    "ConfigMap": read_config_map,
    "EdgeDevice": read_edge_device,
    "EdgeDeviceSet": read_edge_device_set,
    "EdgeWorkload": read_edge_workload,
    "EdgeDeviceSignedRequest": read_signed_request,
    "EdgeConfig": read_edge_config,
    "PlaybookExecution": read_playbook_execution,
}

_ENVELOPE = frozenset({"apiVersion", "kind", "metadata", "status"})


def validate(
    kind: Kind,
    document: Any,
    *,
    namespace: str | None = None,
    name: str | None = None,
    unknown_fields: UnknownFields = "warn",
    subresource: Literal["", "status"] = "",
    warn_of_server_fields: bool = True,
) -> Validated:
    """The resource a document describes.

    `namespace` and `name` are those of the request's path: they are filled in where the document has none and must
    agree where it has. With subresource `status` the body has metadata and status alone, otherwise status is left out.
    `warn_of_server_fields` is for documents that never left the server (patches), where those fields are no mistake.
    Raises InvalidResourceError with the field's path, or BadInputError when it is no such document at all.
    """
    if not isinstance(document, dict):
        raise BadInputError("the document is not a mapping: write apiVersion, kind, metadata and spec")
    check_json_values(document)
    _check_kind(kind, document)
    notes = Notes()
    metadata, stripped = read_metadata(kind, document, notes, namespace=namespace, name=name)
    content = {key: value for key, value in document.items() if key not in _ENVELOPE}
    body: JSONObject = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
    if subresource == "status":
        body["status"] = read_status(kind, document, notes)
    else:
        body |= _READERS[kind.kind](content, notes)
        stripped += ["status"] if document.get("status") else []
    if stripped and warn_of_server_fields:
        notes.warn(f"{', '.join(stripped)}: left out, only the server writes this")
    if unknown_fields == "strict":
        notes.refuse_unknown()
    return Validated(body, notes.warnings(with_unknown=unknown_fields == "warn"))


def _check_kind(kind: Kind, document: JSONObject) -> None:
    """A document may leave out what the path says already, but not contradict it."""
    for field, expected in (("apiVersion", kind.api_version), ("kind", kind.kind)):
        given = document.get(field)
        if given is not None and given != expected:
            raise BadInputError(f"{field} is {shown(str(given))} where {expected} belongs: correct one of them")
