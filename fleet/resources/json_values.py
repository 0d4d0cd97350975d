"""Refuses what cannot travel as JSON and MessagePack: odd keys, infinite numbers, broken text, bottomless nesting.

YAML can say all of these, and a resource must be the same on every way: HTTP, Kafka, ClickHouse, the device.
"""

from collections.abc import Iterator
from math import isfinite
from typing import Any

from fleet.errors import InvalidResourceError

DEPTH_LIMIT = 64
"""Nesting of a resource; a pod specification needs about ten, and readers recurse."""

_INTEGER_LIMIT = 1 << 63


def check_json_values(value: Any, path: str = "", depth: int = 0) -> None:
    """Raise InvalidResourceError naming the first place that is not plain JSON of moderate depth."""
    if isinstance(value, (dict, list)):
        if depth >= DEPTH_LIMIT:
            raise _invalid(path, f"nested deeper than {DEPTH_LIMIT} levels: flatten it")
        for field, item in _items(value, path):
            check_json_values(item, field, depth + 1)
    elif isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, int):
        if not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
            raise _invalid(path, "the number does not fit 64 bits: quote it to keep it as text")
    elif isinstance(value, float):
        if not isfinite(value):
            raise _invalid(path, "JSON has no infinite numbers: quote it to keep it as text")
    elif value is not None:
        raise _invalid(path, f"a {type(value).__name__} has no JSON form: write it as text")


def _items(value: dict[Any, Any] | list[Any], path: str) -> Iterator[tuple[str, Any]]:
    """The path of each part, with the part; keys are checked."""
    if isinstance(value, list):
        yield from ((f"{path}[{index}]", item) for index, item in enumerate(value))
        return
    for key, item in value.items():
        if not isinstance(key, str):
            raise _invalid(path, f"the key {key!r:.60} is not text: quote it")
        _check_text(key, path)
        yield (f"{path}.{key}" if path else key), item


def _check_text(text: str, path: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _invalid(path, "the text holds half a character (a lone surrogate): write it whole") from None


def _invalid(path: str, reason: str) -> InvalidResourceError:
    return InvalidResourceError(f"{path or 'the document'}: {reason}", path)
