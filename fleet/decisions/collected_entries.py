"""Gathers the entries of a packed map that is not there yet, so that it can be made at once when all have come.

Making millions of entries one by one writes each bucket about sixteen times, and leaves memory in pieces. Until then
they lie in a few large blocks, which go back to the system as a whole.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_BUCKETS_AT_ONCE: Final = 4096
"""Cut out of the blocks at a time: some ten megabytes of small objects."""


class _Pieces(NamedTuple):
    """Pieces of bytes, one after the other."""

    joined: bytes
    sizes: NDArray[np.uint32]


class CollectedEntries:
    """Names and values as they come, portion by portion. Names hold no line break."""

    def __init__(self) -> None:
        self._count = 0
        self._hashes: list[NDArray[np.int64]] = []
        self._names: list[_Pieces] = []
        self._values: list[_Pieces] = []

    def __len__(self) -> int:
        return self._count

    def add(self, names: Sequence[str], values: Sequence[bytes]) -> None:
        """Take a portion: a value for each name."""
        encoded = _pieces([name.encode() for name in names])
        if b"\n" in encoded.joined:
            raise ValueError("a line break in a name")
        self._hashes.append(np.fromiter(map(hash, names), np.int64, len(names)))
        self._names.append(encoded)
        self._values.append(_pieces(values))
        self._count += len(names)

    def in_buckets(
        self, buckets: int, low_mask: int, wide_mask: int, split: int
    ) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """Names and values of each bucket, in the order in which they came; what was collected is let go.

        A bucket's number is the part of the name's hash that `low_mask` leaves; of `wide_mask` where that is below
        `split` (see `fleet.decisions.packed_map`).
        """
        hashes = np.concatenate(self._hashes) if self._hashes else np.empty(0, np.int64)
        bucket = hashes & low_mask
        bucket = np.where(bucket < split, hashes & wide_mask, bucket)
        order = np.argsort(bucket, kind="stable")
        ends = np.cumsum(np.bincount(bucket, minlength=buckets)).tolist()
        names, name_ends, name_sizes = _together(self._names)
        values, value_ends, value_sizes = _together(self._values)
        self._count, self._hashes, self._names, self._values = 0, [], [], []
        start = 0
        for first in range(0, buckets, _BUCKETS_AT_ONCE):
            of_these = ends[first : first + _BUCKETS_AT_ONCE]
            chosen = order[start : of_these[-1]]
            in_names = _cut(names, name_ends[chosen], name_sizes[chosen])
            in_values = _cut(values, value_ends[chosen], value_sizes[chosen])
            begin = 0
            for end in of_these:
                yield in_names[begin : end - start], in_values[begin : end - start]
                begin = end - start
            start = of_these[-1]


def _pieces(pieces: Sequence[bytes]) -> _Pieces:
    return _Pieces(b"".join(pieces), np.fromiter(map(len, pieces), np.uint32, len(pieces)))


def _together(portions: list[_Pieces]) -> tuple[bytes, NDArray[np.int64], NDArray[np.uint32]]:
    """All portions as one, with where each piece ends."""
    joined = b"".join([portion.joined for portion in portions])
    sizes = np.concatenate([portion.sizes for portion in portions]) if portions else np.empty(0, np.uint32)
    return joined, np.cumsum(sizes, dtype=np.int64), sizes


def _cut(joined: bytes, ends: NDArray[np.int64], sizes: NDArray[np.uint32]) -> list[bytes]:
    return [joined[start:end] for start, end in zip((ends - sizes).tolist(), ends.tolist(), strict=True)]
