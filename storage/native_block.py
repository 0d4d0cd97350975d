"""Columns in ClickHouse's format Native, straight from arrays: what a block needs, and no object a row.

The layout is that of `NativeWriter` and of the types' binary serializations in ClickHouse: number of columns, number
of rows, then each column's name, type and values. Texts that repeat go as numbers into a list of the distinct ones.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_ONE_BYTE: Final = 0x80
_SHARED_DICTIONARIES: Final = (1).to_bytes(8, "little")
_OWN_DICTIONARY: Final = 0x600
"""Flags of a LowCardinality column in a block: it brings its keys (bit 9) and they are all there are (bit 10)."""

_CODES: Final = ((0, np.dtype("u1")), (1, np.dtype("<u2")), (2, np.dtype("<u4")))


class Numbers(NamedTuple):
    """A column of fixed width, in the type's own unit: an array of the type's size."""

    values: NDArray[np.generic]

    def __len__(self) -> int:
        return len(self.values)

    def encoded(self) -> bytes:
        """The column's values."""
        return self.values.tobytes()


class Texts(NamedTuple):
    """A column of strings."""

    values: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.values)

    def encoded(self) -> bytes:
        """The column's values, each after its length."""
        parts: list[bytes] = [b""] * (2 * len(self.values))
        parts[::2] = [_LENGTHS[size] if size < len(_LENGTHS) else _varint(size) for size in map(len, self.values)]
        parts[1::2] = self.values
        return b"".join(parts)


class SharedTexts(NamedTuple):
    """A LowCardinality column of strings: of each row the number of its text."""

    texts: Sequence[bytes]
    codes: NDArray[np.integer]

    def __len__(self) -> int:
        return len(self.codes)

    def encoded(self) -> bytes:
        """The distinct texts that occur, and a number for each row. The engine keeps the empty text first."""
        used, codes = np.unique(self.codes, return_inverse=True)
        keys = [b"", *(self.texts[code] for code in used)]
        width, dtype = next((width, dtype) for width, dtype in _CODES if len(keys) <= np.iinfo(dtype).max)
        return b"".join(
            (
                _SHARED_DICTIONARIES,
                (_OWN_DICTIONARY | width).to_bytes(8, "little"),
                len(keys).to_bytes(8, "little"),
                Texts(keys).encoded(),
                len(codes).to_bytes(8, "little"),
                (codes + 1).astype(dtype).tobytes(),
            )
        )


_DTYPES: Final = {"Bool": "u1", "DateTime64": "<i8", "UInt16": "<u2", "UInt64": "<u8"}

Column = Numbers | Texts | SharedTexts


def native_block(types: dict[str, str], columns: Sequence[Column]) -> bytes:
    """One block: `types` by name, and the columns in their order, all of one length."""
    rows = len(columns[0])
    parts = [_varint(len(columns)), _varint(rows)]
    for (name, type_name), column in zip(types.items(), columns, strict=True):
        if len(column) != rows:
            raise ValueError(f"the column {name} has {len(column)} rows, not {rows}")
        parts += (_text(name), _text(type_name), column.encoded())
    return b"".join(parts)


def rows_block(types: dict[str, str], rows: Sequence[tuple[Any, ...]]) -> bytes:
    """One block of rows, at least one, of texts, bytes, integers and truth values."""
    columns = zip(types.values(), zip(*rows, strict=True), strict=True)
    return native_block(types, [_column(type_name, values) for type_name, values in columns])


def _column(type_name: str, values: Sequence[Any]) -> Column:
    if type_name == "LowCardinality(String)":
        codes = {text: code for code, text in enumerate(dict.fromkeys(values))}
        return SharedTexts([text.encode() for text in codes], np.fromiter(map(codes.__getitem__, values), np.int64))
    if type_name == "String":
        return Texts([value if isinstance(value, bytes) else value.encode() for value in values])
    return Numbers(np.array(values, _DTYPES[type_name.partition("(")[0]]))


def _text(text: str) -> bytes:
    value = text.encode()
    return _varint(len(value)) + value


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= _ONE_BYTE:
        encoded.append(number & 0x7F | _ONE_BYTE)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


_LENGTHS: Final = [_varint(size) for size in range(4096)]
