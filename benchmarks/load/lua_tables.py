"""Lua source of what the load generator's scripts read."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_PLAIN: Final = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\')


def lua(value: Any) -> str:
    """Lua's spelling of bytes, text, numbers, truth values, sequences and mappings by name."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            return lua(value.encode())
        case bytes():
            return '"' + "".join(chr(byte) if byte in _PLAIN else f"\\{byte:03d}" for byte in value) + '"'
        case Mapping():
            return "{" + ",".join(f"{name}={lua(each)}" for name, each in value.items()) + "}"
        case Sequence():
            return "{" + ",".join(lua(each) for each in value) + "}"
    raise TypeError(f"Lua has no {type(value).__name__}")
