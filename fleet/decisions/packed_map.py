"""A mapping of names to bytes for millions of entries, at about 12 bytes an entry beside name and value.

A dict spends 140 bytes on each such entry: the table's place, a text object, a bytes object. Here about sixteen entries
share two bytes objects, their bucket; the number of buckets grows one at a time with the entries (linear hashing), so
that no put ever waits for a table to be built anew. A get costs less than a microsecond, a put some microseconds.

Each entry may carry a note: an object that is not part of the value and is dropped when the value changes.
"""

import struct
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, Final

from fleet.decisions.collected_entries import CollectedEntries

BUCKET_ENTRIES: Final = 16
"""Entries of a bucket on average: with fewer the objects weigh more, with more each put copies more."""

_END: Final = b"\n"
_NO_VALUES: Final = bytes(4)
_place = struct.Struct("<II").unpack_from
_pack_end = struct.Struct("<I").pack


class PackedMap:
    """Names to bytes. Names hold no line break.

    `hash` is salted in each process, so nobody can choose names that meet in one bucket; the order of iteration is no
    order at all.
    """

    __slots__ = ("_count", "_low_mask", "_names", "_notes", "_split", "_values", "_wide_mask")

    def __init__(self) -> None:
        self._count = 0
        # Of a bucket: its names, each between two line breaks; its values, then, from the end on backwards, where the
        # first begins and where each ends. So one more is put in between without reading the others.
        self._names: list[bytes] = [_END]
        self._values: list[bytes] = [_NO_VALUES]
        self._notes: list[list[Any] | None] = [None]
        self._low_mask = 0
        self._wide_mask = 1
        self._split = 0  # buckets before it are addressed with one bit more

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        for names in list(self._names):
            if names != _END:
                yield from names[1:-1].decode().split("\n")

    def __contains__(self, name: str) -> bool:
        return b"\n%b\n" % name.encode() in self._names[self._bucket(name)]

    def get(self, name: str) -> bytes | None:
        """The value, if the name has one."""
        hashed = hash(name)
        bucket = hashed & self._low_mask
        if bucket < self._split:
            bucket = hashed & self._wide_mask
        names = self._names[bucket]
        at = names.find(b"\n%b\n" % name.encode())
        if at < 0:
            return None
        values = self._values[bucket]
        end, start = _place(values, len(values) - 4 * names.count(_END, 0, at) - 8)
        return values[start:end]

    def note(self, name: str) -> Any:
        """What was noted since the value last changed; None for nothing, or no such name."""
        hashed = hash(name)
        bucket = hashed & self._low_mask
        if bucket < self._split:
            bucket = hashed & self._wide_mask
        notes = self._notes[bucket]
        if notes is None:
            return None
        names = self._names[bucket]
        at = names.find(b"\n%b\n" % name.encode())
        return None if at < 0 else notes[names.count(_END, 0, at)]

    def set_note(self, name: str, note: Any) -> None:
        """Note something of a name, or with None nothing more; of a name without a value nothing is noted."""
        bucket = self._bucket(name)
        names = self._names[bucket]
        at = names.find(b"\n%b\n" % name.encode())
        if at < 0:
            return
        notes = self._notes[bucket]
        if notes is None:
            if note is None:
                return
            notes = self._notes[bucket] = [None] * (names.count(_END) - 1)
        notes[names.count(_END, 0, at)] = note

    def put(self, name: str, value: bytes) -> None:
        """Set a name's value and drop its note."""
        if "\n" in name:
            raise ValueError(f"a line break in the name {name!r}")
        encoded = name.encode()
        bucket = self._bucket(name)
        names, values, notes = self._names[bucket], self._values[bucket], self._notes[bucket]
        at = names.find(b"\n%b\n" % encoded)
        if at >= 0:
            index = names.count(_END, 0, at)
            self._values[bucket] = _with_value(values, names.count(_END) - 1, index, value)
            if notes is not None:
                notes[index] = None
            return
        table = len(values) - 4 * names.count(_END)
        self._names[bucket] = b"%b%b\n" % (names, encoded)
        self._values[bucket] = b"".join((values[:table], value, _pack_end(table + len(value)), values[table:]))
        if notes is not None:
            notes.append(None)
        self._count += 1
        if self._count > BUCKET_ENTRIES * len(self._names):
            self._grow()

    def fill(self, entries: CollectedEntries) -> None:
        """Take all entries at once into an empty map, each bucket at its final size. Of a name the first counts."""
        if self._count:
            raise ValueError("only an empty map can be filled")
        buckets = max(1, -(-len(entries) // BUCKET_ENTRIES))
        self._low_mask = (1 << buckets.bit_length() - 1) - 1
        self._wide_mask = 2 * self._low_mask + 1
        self._split = buckets - self._low_mask - 1
        self._names, self._values, self._notes = [], [], [None] * buckets
        for names, values in entries.in_buckets(buckets, self._low_mask, self._wide_mask, self._split):
            if len(set(names)) < len(names):
                first = dict(zip(reversed(names), reversed(values), strict=True))
                names, values = list(first), list(first.values())  # noqa: PLW2901 - the same without repeats
            in_names, in_values = _joined(names, values)
            self._names.append(in_names)
            self._values.append(in_values)
            self._count += len(names)

    def remove(self, name: str) -> None:
        """Forget a name, if it is there."""
        bucket = self._bucket(name)
        names, values, notes = self._read(bucket)
        encoded = name.encode()
        if encoded in names:
            index = names.index(encoded)
            del names[index], values[index], notes[index]
            self._write(bucket, names, values, notes)
            self._count -= 1

    def _bucket(self, name: str) -> int:
        hashed = hash(name)
        bucket = hashed & self._low_mask
        return hashed & self._wide_mask if bucket < self._split else bucket

    def _read(self, bucket: int) -> tuple[list[bytes], list[bytes], list[Any]]:
        names = self._names[bucket][1:-1].split(_END) if self._names[bucket] != _END else []
        values, notes = self._values[bucket], self._notes[bucket]
        ends = _table(len(names) + 1).unpack_from(values, len(values) - 4 * (len(names) + 1))
        return (
            names,
            [values[start:end] for end, start in zip(ends[-2::-1], ends[:0:-1], strict=True)],
            [None] * len(names) if notes is None else notes,
        )

    def _write(self, bucket: int, names: Sequence[bytes], values: Sequence[bytes], notes: list[Any]) -> None:
        self._names[bucket], self._values[bucket] = _joined(names, values)
        self._notes[bucket] = notes if any(note is not None for note in notes) else None

    def _grow(self) -> None:
        """Divide the next bucket in two by one more bit of the names' hashes."""
        bucket = self._split
        upper = self._low_mask + 1
        entries = list(zip(*self._read(bucket), strict=True))
        self._names.append(_END)
        self._values.append(_NO_VALUES)
        self._notes.append(None)
        for target, is_upper in ((bucket, False), (bucket + upper, True)):
            moved = [entry for entry in entries if bool(hash(entry[0].decode()) & upper) is is_upper]
            self._write(target, [each[0] for each in moved], [each[1] for each in moved], [each[2] for each in moved])
        self._split += 1
        if self._split > self._low_mask:
            self._low_mask = self._wide_mask
            self._wide_mask = 2 * self._wide_mask + 1
            self._split = 0


def _joined(names: Sequence[bytes], values: Sequence[bytes]) -> tuple[bytes, bytes]:
    """What a bucket of these entries holds."""
    ends = list(accumulate(map(len, values), initial=0))
    return (
        b"\n%b\n" % _END.join(names) if names else _END,
        b"".join((*values, _table(len(ends)).pack(*reversed(ends)))),
    )


def _with_value(values: bytes, count: int, index: int, value: bytes) -> bytes:
    """A bucket's `count` values with another one at an index."""
    place = len(values) - 4 * index - 8
    end, start = _place(values, place)
    added = len(value) - (end - start)
    if not added:
        return b"".join((values[:start], value, values[end:]))
    table = len(values) - 4 * (count + 1)
    moved = _table(count - index)
    ends = moved.pack(*[each + added for each in moved.unpack_from(values, table)])
    return b"".join((values[:start], value, values[end:table], ends, values[place + 4 :]))


@cache
def _table(entries: int) -> struct.Struct:
    return struct.Struct(f"<{entries}I")
