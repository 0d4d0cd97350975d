"""The resources of one kind and namespace, packed, as a mapping of names to what is stored.

What is read is a value of its own, and unpacked when its body is asked for, which costs some microseconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from fleet.decisions.collected_entries import CollectedEntries
from fleet.decisions.packed_bodies import PackedBodies
from fleet.decisions.packed_map import PackedMap
from fleet.decisions.stored_resource import StoredResource

_BEGINS: Final = [bytes([size + 1]) for size in range(16)]


class PackedResources(Mapping[str, StoredResource]):
    """Resources by name; `bodies` is shared by all namespaces of the kind."""

    def __init__(self, bodies: PackedBodies) -> None:
        self._bodies = bodies
        self._rows = PackedMap()
        self._collected = CollectedEntries()
        self._first_revision = -1  # what others are counted from, since revisions are large and near each other

    def __getitem__(self, name: str) -> StoredResource:
        held = self.get(name)
        if held is None:
            raise KeyError(name)
        return held

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, name: str, _: None = None) -> StoredResource | None:  # type: ignore[override]
        """The resource of a name, if there is one."""
        row = self._rows.get(name)
        if row is None:
            return None
        return StoredResource(self._revision(row), partial(self._bodies.unpack, name, row[row[0] :]))

    def revision(self, name: str) -> int:
        """Of a resource's last change, without unpacking it; 0 when there is none."""
        row = self._rows.get(name)
        return 0 if row is None else self._revision(row)

    def put(self, name: str, body: bytes, revision: int) -> None:
        """Hold a resource, in place of the one before."""
        if self._first_revision < 0:
            self._first_revision = revision
        self._rows.put(name, _row(revision - self._first_revision, self._bodies.pack(name, body)))

    def collect(self, names: Sequence[str], bodies: Sequence[bytes], revisions: Sequence[int]) -> None:
        """Take many for the first time; none of them is there before `settle`."""
        if self._first_revision < 0:
            self._first_revision = revisions[0]
        first = self._first_revision
        packed = self._bodies.pack_many(names, bodies)
        self._collected.add(names, [_row(at - first, body) for at, body in zip(revisions, packed, strict=True)])

    def settle(self) -> None:
        """Hold all that were collected, and nothing else."""
        self._rows.fill(self._collected)

    def remove(self, name: str) -> None:
        """Forget a resource."""
        self._rows.remove(name)

    def _revision(self, row: bytes) -> int:
        """A row begins with where its body begins, and between them stands its revision."""
        return self._first_revision + int.from_bytes(row[1 : row[0]], "big", signed=True)


def _row(since: int, packed: bytes) -> bytes:
    size = since.bit_length() // 8 + 1
    return _BEGINS[size] + since.to_bytes(size, "big", signed=True) + packed
