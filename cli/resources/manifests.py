"""The resources that files describe: all read and checked before any is sent, every mistake told with its place."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cli.errors import CommandError
from fleet.decisions.commands import JSONObject
from fleet.documents.yaml_documents import ResourceDocument, examine_documents
from fleet.errors import BadInputError, InvalidResourceError
from fleet.resources import Kind, validate
from fleet.resources.metadata import SERVER_FIELDS

STANDARD_INPUT = "-"
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_USAGE_STATUS = 2

_FIRST = ("Namespace", "Secret", "ConfigMap", "EdgeDeviceSet", "EdgeDevice")
"""Kinds that others need, in the order they are applied; the rest follows in the files' order."""


class Manifest(NamedTuple):
    """One resource as a file describes it, without fields that only the server writes. `place` names file and line."""

    place: str
    kind: Kind
    namespace: str
    name: str
    body: JSONObject
    warnings: list[str]
    written: ResourceDocument | None = None

    def place_of(self, field: str) -> str:
        """File and line of one of its fields."""
        if self.written is None:
            return self.place
        return f"{self.place.removesuffix(self.written.place)}{self.written.place_of(field)}"

    @property
    def label(self) -> str:
        """How commands name it: `edgeworkload/web`."""
        return f"{self.kind.singular}/{self.name}"


class Manifests(NamedTuple):
    """What was read, in the order it can be applied, and what is wrong, one line a mistake."""

    resources: list[Manifest]
    mistakes: list[str]


def read_manifests(files: Sequence[str], default_namespace: str) -> Manifests:
    """Read files, folders (their .yaml, .yml and .json files in the order of names) and `-` (standard input).

    Raises CommandError when a file cannot be read or nothing is there.
    """
    resources: list[Manifest] = []
    mistakes: list[str] = []
    for source, text in _texts(files):
        try:
            examined = examine_documents(text, default_namespace=default_namespace)
        except BadInputError as error:
            mistakes.append(f"{source}: {error}")
            continue
        mistakes += [f"{source}: {mistake}" for mistake in examined.mistakes]
        for document in examined.resources:
            place = f"{source}: {document.place}"
            try:
                resources.append(_checked(place, document, default_namespace))
            except InvalidResourceError as error:
                mistakes.append(f"{source}: {document.place_of(error.field)}: {error}")
            except BadInputError as error:
                mistakes.append(f"{place}: {error}")
    mistakes += _repeated(resources)
    if not resources and not mistakes:
        raise CommandError(f"no resource in {', '.join(files)}: write apiVersion, kind and metadata.name")
    return Manifests(sorted(resources, key=_rank), mistakes)


def _texts(files: Sequence[str]) -> list[tuple[str, bytes]]:
    texts = []
    for file in files:
        if file == STANDARD_INPUT:
            texts.append(("standard input", sys.stdin.buffer.read()))
            continue
        try:
            texts += [(str(path), path.read_bytes()) for path in _paths(Path(file))]
        except OSError as error:
            raise CommandError(
                f"{file}: {error.strerror or error}: name a file, a folder or -", _USAGE_STATUS
            ) from None
    return texts


def _paths(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES and each.is_file())
    if not found:
        raise CommandError(f"{path}: no .yaml, .yml or .json file in this folder", _USAGE_STATUS)
    return found


def _checked(place: str, written: ResourceDocument, default_namespace: str) -> Manifest:
    """A document that its kind's rules accept. Raises BadInputError."""
    kind, document = written.kind, written.body
    given = document["metadata"]
    namespace = (given.get("namespace") or default_namespace) if kind.is_namespaced else ""
    validated = validate(kind, document, namespace=namespace or None)
    metadata = {field: value for field, value in given.items() if field not in SERVER_FIELDS}
    if kind.is_namespaced:
        metadata["namespace"] = namespace
    body = {field: value for field, value in document.items() if field != "status"} | {"metadata": metadata}
    return Manifest(place, kind, namespace, given["name"], body, validated.warnings, written)


def _repeated(resources: list[Manifest]) -> list[str]:
    """Resources described twice, in two files; within one text the reader has refused them already."""
    places: dict[tuple[str, str, str], str] = {}
    mistakes = []
    for resource in resources:
        key = (resource.kind.kind, resource.namespace, resource.name)
        if key in places:
            mistakes.append(f"{resource.place}: {resource.label} is already in {places[key]}: remove one of them")
        places.setdefault(key, resource.place)
    return mistakes


def _rank(resource: Manifest) -> int:
    kind = resource.kind.kind
    return _FIRST.index(kind) if kind in _FIRST else len(_FIRST)
