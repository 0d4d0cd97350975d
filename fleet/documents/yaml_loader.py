"""YAML as Kubernetes reads it, by PyYAML's C loader, on input that a stranger may have written.

Nothing is built before the events were checked. Unlike YAML 1.1, timestamps and `12:30` stay text, as they do in
Kubernetes.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from fleet.documents.yaml_events import EventCheck
from fleet.errors import BadInputError, TooLargeError


class YamlLimits(NamedTuple):
    """How much one text may hold."""

    size_bytes: int = 32 * 1024 * 1024
    documents: int = 100_000


class KubernetesLoader(yaml.CSafeLoader):
    """The safe loader with Kubernetes' idea of a number, and no timestamps."""


_NUMBERS = {
    "tag:yaml.org,2002:int": (
        re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)\Z"),
        "-+0123456789",
    ),
    "tag:yaml.org,2002:float": (
        re.compile(
            r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?\Z"
            r"|[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z"
        ),
        "-+0123456789.",
    ),
}
_REPLACED = {"tag:yaml.org,2002:timestamp", *_NUMBERS}

KubernetesLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
for _tag, (_pattern, _first) in _NUMBERS.items():
    KubernetesLoader.add_implicit_resolver(_tag, _pattern, list(_first))


class Source(NamedTuple):
    """Where a document stands in its text: from which character to which, and the line of the first, counted from 1."""

    text: str
    start: int
    end: int
    line: int

    @property
    def document(self) -> str:
        """The document's own text, its first line whole, since a block's depth is told by its indentation."""
        line_start = self.text.rfind("\n", 0, self.start) + 1
        is_indented = not self.text[line_start : self.start].strip()
        return self.text[line_start if is_indented else self.start : self.end]


class YamlDocument(NamedTuple):
    """One document, not empty. `line` counts from 1; `item_lines` are those of the list under a key `items`."""

    number: int
    line: int
    value: Any
    item_lines: list[int]
    source: Source


def load_documents(text: str | bytes, limits: YamlLimits) -> Iterator[YamlDocument]:
    """Every document that is not empty; numbers count the empty ones too, as a reader counts `---`.

    Raises BadInputError with line and reason, TooLargeError beyond the limits. Messages never quote the text: it may
    hold secrets.
    """
    source = _decoded(text, limits)
    check = EventCheck(limits.documents)
    try:
        for event in yaml.parse(source, Loader=KubernetesLoader):
            check.take(event)
    except TooLargeError:
        raise
    except BadInputError as error:
        raise BadInputError(f"document {check.documents}, {error}") from None
    except yaml.YAMLError as error:
        # What does not parse in a document's first line is in the document that would have begun.
        raise BadInputError(f"document {max(check.documents, 1)}, {_reason(error)}") from None
    try:
        yield from _built(source)
    except yaml.YAMLError as error:
        raise BadInputError(_reason(error)) from None
    except (ValueError, OverflowError, KeyError):
        # What only looked like a number, or was said to be one: `0x_`, `._`, digits without end, `!!bool maybe`.
        raise BadInputError("a number cannot be read: quote it to keep it as text") from None


def _reason(error: yaml.YAMLError) -> str:
    """Where and why, never what."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return f"not YAML: {str(error).splitlines()[0]}"
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}not YAML: {error.problem or error.context}"


def _decoded(text: str | bytes, limits: YamlLimits) -> str:
    if len(text) > limits.size_bytes:
        raise TooLargeError(f"{len(text)} bytes of YAML, {limits.size_bytes} are possible: split the file")
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"not UTF-8 at byte {error.start}: save the file as UTF-8") from None


def _built(source: str) -> Iterator[YamlDocument]:
    loader = KubernetesLoader(source)
    number = 0
    try:
        while loader.check_node():
            number += 1
            node: Any = loader.get_node()
            value = loader.construct_document(node)
            if value is not None:
                start, end = node.start_mark, node.end_mark
                source_of = Source(source, start.index, end.index, start.line + 1)
                yield YamlDocument(number, start.line + 1, value, _item_lines(node), source_of)
    finally:
        loader.dispose()


def _item_lines(node: Any) -> list[int]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "items" and isinstance(value, yaml.SequenceNode):
                return [item.start_mark.line + 1 for item in value.value]
    return []
