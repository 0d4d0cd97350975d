"""The resources in a YAML text, and every mistake in it: a file with a wrong document is refused before any is sent.

Every message names the document, the line of the field, and what to write.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from fleet.decisions.commands import JSONObject
from fleet.documents.field_lines import field_line
from fleet.documents.yaml_loader import Source, YamlDocument, YamlLimits, load_documents
from fleet.errors import BadInputError, InvalidResourceError
from fleet.names import shown
from fleet.resources.json_values import check_json_values
from fleet.resources.kinds import KINDS, Kind, kind_of

_LIST = "List"


class ResourceDocument(NamedTuple):
    """One resource as it was written. `number`, `line` and, in a List, `item` count from 1; outside `item` is 0."""

    number: int
    line: int
    body: JSONObject
    kind: Kind
    source: Source
    item: int = 0

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return _place(self.number, self.item, self.line)

    def place_of(self, field: str) -> str:
        """Where one of its fields stands, or what is nearest to a field that is missing."""
        return _place(self.number, self.item, _line_of(self.source, self.item, field))


class Examined(NamedTuple):
    """What a text holds: resources in their order, and what is wrong with the rest. `documents` counts both."""

    resources: list[ResourceDocument]
    mistakes: list[BadInputError]

    @property
    def documents(self) -> int:
        """How many there are."""
        return len(self.resources) + len(self.mistakes)


def read_documents(
    text: str | bytes, *, default_namespace: str = "default", limits: YamlLimits | None = None
) -> list[ResourceDocument]:
    """The resources of a text, all of them or none: as `examine_documents`, but raises the first mistake."""
    examined = examine_documents(text, default_namespace=default_namespace, limits=limits)
    if examined.mistakes:
        raise examined.mistakes[0]
    return examined.resources


def examine_documents(
    text: str | bytes, *, default_namespace: str = "default", limits: YamlLimits | None = None
) -> Examined:
    """The resources of a text in their order, and every mistake; a `kind: List` stands for its items.

    `default_namespace` is where resources without a namespace will go: two of one kind and name there are refused.
    Raises BadInputError or TooLargeError where the text is no YAML.
    """
    resources: list[ResourceDocument] = []
    mistakes: list[BadInputError] = []
    places: dict[tuple[str, str, str], str] = {}
    for document in load_documents(text, limits or YamlLimits()):
        for item, line, value in _unfolded(document):
            try:
                resource = _read(document, item, line, value)
                _note(resource, places, default_namespace)
            except BadInputError as error:
                mistakes.append(error)
            else:
                resources.append(resource)
    return Examined(resources, mistakes)


def _read(document: YamlDocument, item: int, line: int, value: Any) -> ResourceDocument:
    if isinstance(value, _NoList):
        raise BadInputError(f"{_place(document.number, 0, line)}: items: write a list of resources")

    def place(field: str) -> str:
        return _place(document.number, item, _line_of(document.source, item, field) if field else line)

    body, kind = _checked(value, place)
    return ResourceDocument(document.number, line, body, kind, document.source, item)


def _note(resource: ResourceDocument, places: dict[tuple[str, str, str], str], default_namespace: str) -> None:
    key = _key(resource, default_namespace)
    if key in places:
        raise BadInputError(
            f"{resource.place}: {key[0]} {shown(key[2])} is already in {places[key]}: remove or rename one of them"
        )
    places[key] = resource.place


class _NoList:
    """What stands where a List should have its items."""


def _unfolded(document: YamlDocument) -> Iterator[tuple[int, int, Any]]:
    """(item, line, value) of each resource of a document. Lists in lists are not unfolded."""
    value = document.value
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or not kind.endswith(_LIST) or "items" not in value:
        yield 0, document.line, value
        return
    items = value["items"]
    if not isinstance(items, list):
        yield 0, document.line, _NoList()
        return
    for item, (line, each) in enumerate(zip(document.item_lines, items, strict=True), start=1):
        yield item, line, each


def _checked(value: Any, place: Callable[[str], str]) -> tuple[JSONObject, Kind]:
    """The body and its kind. `place` says where a field is."""
    if not isinstance(value, dict):
        raise BadInputError(f"{place('')}: not a resource: write apiVersion, kind and metadata.name")
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    fields = (("apiVersion", value.get("apiVersion")), ("kind", value.get("kind")), ("metadata.name", name))
    for field, given in fields:
        if not isinstance(given, str) or not given:
            what = "is missing: write it" if given in (None, "") else "is not text: quote it"
            raise BadInputError(f"{place(field)}: {field} {what}")
    try:
        check_json_values(value)
        return value, kind_of(value["apiVersion"], value["kind"])
    except InvalidResourceError as error:
        raise InvalidResourceError(f"{place(error.field)}: {error}", error.field) from None
    except BadInputError as error:
        raise BadInputError(f"{place('apiVersion' if value['kind'] in KINDS else 'kind')}: {error}") from None


def _line_of(source: Source, item: int, field: str) -> int:
    path = f"items[{item - 1}].{field}" if item else field
    return source.line + field_line(source.document, path)


def _key(resource: ResourceDocument, default_namespace: str) -> tuple[str, str, str]:
    metadata = resource.body["metadata"]
    namespace = str(metadata.get("namespace") or default_namespace) if resource.kind.is_namespaced else ""
    return resource.kind.kind, namespace, metadata["name"]


def _place(number: int, item: int, line: int) -> str:
    return f"document {number}, item {item} (line {line})" if item else f"document {number} (line {line})"
