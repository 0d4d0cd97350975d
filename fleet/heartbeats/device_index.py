"""Numbers devices by digests of their names, in arrays: a million at 24 bytes each, thousands found in one call.

A hash table with open addressing and linear probing, never more than half full; devices are never taken out.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128_digest

Digests = NDArray[np.uint64]
"""A row of two for each device."""

_FIRST_CAPACITY: Final = 1024
_FREE: Final = -1


def digest(name: str) -> bytes:
    """The digest of `namespace/device_id`: xxh3-128. Part of the format of `fleet.heartbeats.entries`.

    128 bits: with 64, two of ten million devices would meet once in some hundred thousand installations.
    """
    return xxh3_128_digest(name.encode())


def digests(names: Iterable[str]) -> Digests:
    """As `digest`, of many."""
    return np.frombuffer(b"".join(map(digest, names)), np.uint64).reshape(-1, 2)


class DeviceIndex:
    """Numbers from 0, in the order of arrival. Not for threads."""

    def __init__(self) -> None:
        self._count = 0
        self._keys: Digests = np.empty((_FIRST_CAPACITY, 2), np.uint64)
        self._table = np.full(2 * _FIRST_CAPACITY, _FREE, np.int32)

    def __len__(self) -> int:
        return self._count

    def find(self, wanted: Digests) -> NDArray[np.int64]:
        """The number of each device, -1 for those that are not here."""
        found = np.full(len(wanted), _FREE, np.int64)
        asked, places = np.arange(len(wanted)), self._places(wanted)
        while asked.size:
            numbers = self._table[places]
            is_taken = numbers != _FREE
            asked, places, numbers = asked[is_taken], places[is_taken], numbers[is_taken]
            is_other = (self._keys[numbers] != wanted[asked]).any(axis=1)
            found[asked[~is_other]] = numbers[~is_other]
            asked, places = asked[is_other], self._next(places[is_other])
        return found

    def add(self, new: Digests) -> NDArray[np.int64]:
        """Number devices that are not here yet, each given once."""
        numbers = np.arange(self._count, self._count + len(new))
        if self._count + len(new) > len(self._keys):
            self._grow(self._count + len(new))
        self._keys[numbers] = new
        self._enter(numbers)
        self._count += len(new)
        return numbers

    def _enter(self, numbers: NDArray[np.int64]) -> None:
        places = self._places(self._keys[numbers])
        while numbers.size:
            is_free = self._table[places] == _FREE
            self._table[places[is_free]] = numbers[is_free]
            # Of several that wanted one place the last has it, and the others go on.
            is_waiting = self._table[places] != numbers
            numbers, places = numbers[is_waiting], self._next(places[is_waiting])

    def _grow(self, devices: int) -> None:
        capacity = len(self._keys)
        while capacity < devices:
            capacity *= 2
        keys: Digests = np.empty((capacity, 2), np.uint64)
        keys[: self._count] = self._keys[: self._count]
        self._keys = keys
        self._table = np.full(2 * capacity, _FREE, np.int32)
        self._enter(np.arange(self._count))

    def _places(self, keys: Digests) -> NDArray[np.int64]:
        return (keys[:, 0] & np.uint64(len(self._table) - 1)).astype(np.int64)

    def _next(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        return (places + 1) & (len(self._table) - 1)
