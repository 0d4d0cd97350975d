"""Columns in ClickHouse's format Native, straight from arrays: what a block needs, and no object a row.

The layout is that of `NativeWriter` and of the types' binary serializations in ClickHouse: number of columns, number
of rows, then each column's name, type and values. Texts that repeat go as numbers into a list of the distinct ones;
what such a column begins with stands even before the sizes of the arrays it is in.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

_ONE_BYTE: Final = 0x80
_SHARED_DICTIONARIES: Final = (1).to_bytes(8, "little")
_OWN_DICTIONARY: Final = 0x600
"""Flags of a LowCardinality column in a block: it brings its keys (bit 9) and they are all there are (bit 10)."""

_CODES: Final = ((0, np.dtype("u1")), (1, np.dtype("<u2")), (2, np.dtype("<u4")))


class Column(Protocol):
    """The values of a column."""

    def __len__(self) -> int:
        """Rows."""

    def encoded(self) -> bytes:
        """The values, without what the type alone begins with."""


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
        sizes = list(map(len, self.values))
        if sizes and sizes.count(sizes[0]) == len(sizes):
            # Ids are mostly of one length.
            length = _varint(sizes[0])
            return length + length.join(self.values)
        parts: list[bytes] = [b""] * (2 * len(self.values))
        parts[::2] = [_LENGTHS[size] if size < len(_LENGTHS) else _varint(size) for size in sizes]
        parts[1::2] = self.values
        return b"".join(parts)


class NoTexts(NamedTuple):
    """A column of empty strings."""

    rows: int

    def __len__(self) -> int:
        return self.rows

    def encoded(self) -> bytes:
        """Of each its length."""
        return bytes(self.rows)


class Encoded(NamedTuple):
    """A column that stands in several blocks and is encoded once. `values` are as `encoded` of the column gave them."""

    rows: int
    values: bytes

    @classmethod
    def of(cls, column: Column) -> "Encoded":
        """The column, encoded now."""
        return cls(len(column), column.encoded())

    def __len__(self) -> int:
        return self.rows

    def encoded(self) -> bytes:
        """The column's values."""
        return self.values


class SharedTexts(NamedTuple):
    """A LowCardinality column of strings: of each row the number of its text."""

    texts: Sequence[bytes]
    codes: NDArray[np.integer]

    def __len__(self) -> int:
        return len(self.codes)

    def encoded(self) -> bytes:
        """The distinct texts that occur, and a number for each row. The engine keeps the empty text first."""
        if not len(self.codes):
            return b""
        used, codes = np.unique(self.codes, return_inverse=True)
        keys = [b"", *(self.texts[code] for code in used)]
        width, dtype = next((width, dtype) for width, dtype in _CODES if len(keys) <= np.iinfo(dtype).max)
        return b"".join(
            (
                (_OWN_DICTIONARY | width).to_bytes(8, "little"),
                len(keys).to_bytes(8, "little"),
                Texts(keys).encoded(),
                len(codes).to_bytes(8, "little"),
                (codes + 1).astype(dtype).tobytes(),
            )
        )


class Nullable(NamedTuple):
    """A column of which some rows are null, whatever they are in `values`."""

    is_null: NDArray[np.bool_]
    values: Column

    def __len__(self) -> int:
        return len(self.values)

    def encoded(self) -> bytes:
        """A byte for each row, then the values."""
        return self.is_null.tobytes() + self.values.encoded()


class Arrays(NamedTuple):
    """A column of arrays: of each row its size, and the values of all rows together."""

    sizes: NDArray[np.integer]
    values: Column

    def __len__(self) -> int:
        return len(self.sizes)

    def encoded(self) -> bytes:
        """Where each row's values end, then the values."""
        return np.cumsum(self.sizes, dtype="<u8").tobytes() + self.values.encoded()


_DTYPES: Final = {
    "Bool": "u1",
    "DateTime64": "<i8",
    "Int64": "<i8",
    "UInt16": "<u2",
    "UInt32": "<u4",
    "UInt64": "<u8",
}


def native_block(types: dict[str, str], columns: Sequence[Column]) -> bytes:
    """One block: `types` by name, and the columns in their order, all of one length."""
    rows = len(columns[0])
    parts = [_varint(len(columns)), _varint(rows)]
    for (name, type_name), column in zip(types.items(), columns, strict=True):
        if len(column) != rows:
            raise ValueError(f"the column {name} has {len(column)} rows, not {rows}")
        parts += (_text(name), _text(type_name), _head(type_name), column.encoded())
    return b"".join(parts)


def _head(type_name: str) -> bytes:
    """What stands before the values of the type, also where arrays of it are: their sizes come after it."""
    return _SHARED_DICTIONARIES if "LowCardinality(" in type_name else b""


def rows_block(types: dict[str, str], rows: Sequence[tuple[Any, ...]]) -> bytes:
    """One block of rows, at least one, of texts, bytes, integers, truth values, lists of those, and None."""
    columns = zip(types.values(), zip(*rows, strict=True), strict=True)
    return native_block(types, [_column(type_name, values) for type_name, values in columns])


def _column(type_name: str, values: Sequence[Any]) -> Column:
    if type_name == "LowCardinality(String)":
        codes = {text: code for code, text in enumerate(dict.fromkeys(values))}
        return SharedTexts([text.encode() for text in codes], np.fromiter(map(codes.__getitem__, values), np.int64))
    if type_name == "String":
        return Texts([value if isinstance(value, bytes) else value.encode() for value in values])
    outer, _, inner = type_name.removesuffix(")").partition("(")
    if outer == "Array":
        sizes = np.fromiter(map(len, values), np.int64, len(values))
        return Arrays(sizes, _column(inner, list(chain.from_iterable(values))))
    if outer == "Nullable":
        is_null = np.fromiter((value is None for value in values), bool, len(values))
        return Nullable(is_null, _column(inner, [0 if value is None else value for value in values]))
    return Numbers(np.array(values, _DTYPES[outer]))


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
