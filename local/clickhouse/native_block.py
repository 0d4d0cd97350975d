"""A block of ClickHouse's Native format that has columns and no rows."""

from collections.abc import Sequence


def empty_native_block(columns: Sequence[tuple[str, str]]) -> bytes:
    """Number of columns, number of rows, then each column's name and type."""
    block = _varint(len(columns)) + _varint(0)
    for name, type_name in columns:
        block += _string(name) + _string(type_name)
    return block


def _string(text: str) -> bytes:
    encoded = text.encode()
    return _varint(len(encoded)) + encoded


def _varint(number: int) -> bytes:
    """Seven bits a byte, lowest first."""
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - the largest seven-bit number
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
