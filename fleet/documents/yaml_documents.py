"""The resources in a YAML text, all of them or none: a file with one wrong document is refused before any is sent.

Every message names the document, its line and what to write.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from fleet.decisions.commands import JSONObject
from fleet.documents.yaml_loader import YamlDocument, YamlLimits, load_documents
from fleet.errors import BadInputError, InvalidResourceError
from fleet.names import shown
from fleet.resources.json_values import check_json_values
from fleet.resources.kinds import Kind, kind_of

_LIST = "List"


class ResourceDocument(NamedTuple):
    """One resource as it was written. `number`, `line` and, in a List, `item` count from 1; outside `item` is 0."""

    number: int
    line: int
    body: JSONObject
    kind: Kind
    item: int = 0

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return _place(self.number, self.item, self.line)


def read_documents(
    text: str | bytes, *, default_namespace: str = "default", limits: YamlLimits | None = None
) -> list[ResourceDocument]:
    """The resources of a text in their order; a `kind: List` stands for its items.

    `default_namespace` is where resources without a namespace will go: two of one kind and name there are refused.
    Raises BadInputError or TooLargeError.
    """
    resources: list[ResourceDocument] = []
    places: dict[tuple[str, str, str], str] = {}
    for document in load_documents(text, limits or YamlLimits()):
        for item, line, value in _unfolded(document):
            place = _place(document.number, item, line)
            resource = ResourceDocument(document.number, line, *_checked(value, place), item)
            key = _key(resource, default_namespace)
            if key in places:
                raise BadInputError(
                    f"{place}: {key[0]} {shown(key[2])} is already in {places[key]}: remove or rename one of them"
                )
            places[key] = place
            resources.append(resource)
    return resources


def _unfolded(document: YamlDocument) -> Iterator[tuple[int, int, Any]]:
    """(item, line, value) of each resource of a document. Lists in lists are not unfolded."""
    value = document.value
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or not kind.endswith(_LIST) or "items" not in value:
        yield 0, document.line, value
        return
    items = value["items"]
    if not isinstance(items, list):
        raise BadInputError(f"{_place(document.number, 0, document.line)}: items: write a list of resources")
    for item, (line, each) in enumerate(zip(document.item_lines, items, strict=True), start=1):
        yield item, line, each


def _checked(value: Any, place: str) -> tuple[JSONObject, Kind]:
    if not isinstance(value, dict):
        raise BadInputError(f"{place}: not a resource: write apiVersion, kind and metadata.name")
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    fields = (("apiVersion", value.get("apiVersion")), ("kind", value.get("kind")), ("metadata.name", name))
    for field, given in fields:
        if not isinstance(given, str) or not given:
            what = "is missing: write it" if given in (None, "") else "is not text: quote it"
            raise BadInputError(f"{place}: {field} {what}")
    try:
        check_json_values(value)
        return value, kind_of(value["apiVersion"], value["kind"])
    except InvalidResourceError as error:
        raise InvalidResourceError(f"{place}: {error}", error.field) from None
    except BadInputError as error:
        raise BadInputError(f"{place}: {error}") from None


def _key(resource: ResourceDocument, default_namespace: str) -> tuple[str, str, str]:
    metadata = resource.body["metadata"]
    namespace = str(metadata.get("namespace") or default_namespace) if resource.kind.is_namespaced else ""
    return resource.kind.kind, namespace, metadata["name"]


def _place(number: int, item: int, line: int) -> str:
    return f"document {number}, item {item} (line {line})" if item else f"document {number} (line {line})"
