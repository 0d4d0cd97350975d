"""Heartbeats as a record of Kafka carries them: one by itself, those of a record, and those of several, in columns.

A worker looks at most heartbeats as numbers alone: of one that says what its device said last, neither the device's
name nor the body becomes an object.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from struct import Struct as Layout
from typing import Final, Literal, NamedTuple, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from fleet.errors import MusterError
from fleet.heartbeats.device_index import Digests, digest

_CHECKED: Final = 1
_HARDWARE: Final = 2

_HEAD: Final = np.dtype(
    [
        ("digest", "<u8", 2),
        ("content_hash", "<u8"),
        ("body_bytes", "<u4"),
        ("device_id_bytes", "<u4"),
        ("namespace", "<u2"),
        ("wanted_version", "<u2"),
        ("flags", "u1"),
        ("reserved", "u1", 3),
    ]
)
_head: Final = Layout("<16sQIIHHB3x").pack

_CONTINUES_A_CHARACTER: Final = (0xC0, 0x80)
"""Of a byte of UTF-8 the bits that tell, and what they are within a character."""


class SharedTexts(NamedTuple):
    """A column of texts of which few are distinct: of each row the number of its text."""

    texts: list[str]
    codes: NDArray[np.int64]


class MalformedEntriesError(MusterError):
    """A record's columns do not fit each other."""


class HeartbeatEntry(msgspec.Struct, frozen=True, gc=False):
    """One accepted heartbeat, or a registration's hardware. Its position is the record's, with its index in it."""

    namespace: str
    device_id: str
    content_hash: int
    """As `fleet.heartbeats.heartbeat.content_hash` gives it."""
    is_checked: bool
    """Whether the API knew the device to be registered."""
    wanted_version: str | None
    """Configuration the device should run, if the API knew."""
    body: bytes
    """JSON as the device sent it."""
    kind: Literal["heartbeat", "hardware"] = "heartbeat"


class RecordEntries(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The entries of one record, in columns.

    `namespaces` and `wanted_versions` are distinct texts, an empty one if the API knew no version. `heads` holds 40
    bytes for each entry, little-endian: the digest of its device's name (16, `fleet.heartbeats.device_index.digest`),
    content hash (8), bytes of body (4) and device id (4), numbers of namespace (2) and wanted version (2), flags (1:
    checked, 2: hardware), three bytes of nothing. `device_ids` (UTF-8) and `bodies` follow each other without anything
    between them.
    """

    namespaces: list[str]
    wanted_versions: list[str]
    heads: bytes
    device_ids: bytes
    bodies: bytes | memoryview

    @classmethod
    def of(cls, entries: Iterable[HeartbeatEntry]) -> Self:
        """The entries, whose hashes must fit 64 bits."""
        namespaces: dict[str, int] = {}
        versions: dict[str, int] = {}
        heads, device_ids, bodies = [], [], []
        for entry in entries:
            namespace, device_id, body = entry.namespace, entry.device_id.encode(), entry.body
            heads.append(
                _head(
                    digest(f"{namespace}/{entry.device_id}"),
                    entry.content_hash,
                    len(body),
                    len(device_id),
                    namespaces.setdefault(namespace, len(namespaces)),
                    versions.setdefault(entry.wanted_version or "", len(versions)),
                    entry.is_checked * _CHECKED | (entry.kind == "hardware") * _HARDWARE,
                )
            )
            device_ids.append(device_id)
            bodies.append(body)
        return cls(list(namespaces), list(versions), b"".join(heads), b"".join(device_ids), b"".join(bodies))

    def __len__(self) -> int:
        """Entries."""
        return len(self.heads) // _HEAD.itemsize


class EntryColumns:
    """The entries of several records, one after the other; `sizes` tells how many of each."""

    def __init__(self, records: Sequence[RecordEntries]) -> None:
        """Raises MalformedEntriesError if the columns of a record do not fit each other."""
        self.sizes = np.array([len(record) for record in records], np.int64)
        self._heads = _joined_heads(records)
        self._record = np.repeat(np.arange(len(records)), self.sizes)
        self._device_ids = b"".join([record.device_ids for record in records])
        self._bodies = [record.bodies for record in records]
        self._id_ends = np.cumsum(self._heads["device_id_bytes"], dtype=np.int64)
        self._body_ends = self._ends_in_record(self._heads["body_bytes"])
        self._check(records)
        self.namespaces = self._shared("namespace", [record.namespaces for record in records])
        self.wanted_versions = self._shared("wanted_version", [record.wanted_versions for record in records])

    def __len__(self) -> int:
        return len(self._heads)

    @property
    def digests(self) -> Digests:
        """Of the devices' names."""
        names: Digests = self._heads["digest"]
        return names

    @property
    def content_hashes(self) -> NDArray[np.uint64]:
        """Of the bodies."""
        hashes: NDArray[np.uint64] = self._heads["content_hash"]
        return hashes

    @property
    def is_checked_heartbeat(self) -> NDArray[np.bool_]:
        """Whether it is one, of a device that the API knew to be registered."""
        is_one: NDArray[np.bool_] = self._heads["flags"] & (_CHECKED | _HARDWARE) == _CHECKED
        return is_one

    def device_ids(self, at: NDArray[np.int64] | slice) -> list[bytes]:
        """Of entries by their indexes, in UTF-8."""
        device_ids, ends = self._device_ids, self._id_ends[at]
        starts = ends - self._heads["device_id_bytes"][at]
        return [device_ids[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]

    def entries(self, at: NDArray[np.int64] | slice = slice(None)) -> Iterator[HeartbeatEntry]:
        """Entries by their indexes, or all of them."""
        heads, ends = self._heads[at], self._body_ends[at]
        columns = (
            self.namespaces.codes[at].tolist(),
            self.device_ids(at),
            heads["content_hash"].tolist(),
            heads["flags"].tolist(),
            self.wanted_versions.codes[at].tolist(),
            self._record[at].tolist(),
            (ends - heads["body_bytes"]).tolist(),
            ends.tolist(),
        )
        namespaces, versions, bodies = self.namespaces.texts, self.wanted_versions.texts, self._bodies
        for namespace, device_id, content_hash, flags, version, record, start, end in zip(*columns, strict=True):
            yield HeartbeatEntry(
                namespaces[namespace],
                device_id.decode(),
                content_hash,
                bool(flags & _CHECKED),
                versions[version] or None,
                bytes(bodies[record][start:end]),
                "hardware" if flags & _HARDWARE else "heartbeat",
            )

    def _shared(self, column: str, texts: Sequence[Sequence[str]]) -> SharedTexts:
        """A column of numbers that count within each record."""
        firsts = np.cumsum([0, *map(len, texts)])[:-1]
        return SharedTexts(list(chain.from_iterable(texts)), self._heads[column] + firsts[self._record])

    def _ends_in_record(self, sizes_bytes: NDArray[np.uint32]) -> NDArray[np.int64]:
        ends = np.cumsum(sizes_bytes, dtype=np.int64)
        before = np.concatenate(([0], ends))[np.cumsum(self.sizes) - self.sizes]
        in_record: NDArray[np.int64] = ends - before[self._record]
        return in_record

    def _check(self, records: Sequence[RecordEntries]) -> None:
        heads, last = self._heads, np.cumsum(self.sizes)
        for name, ends, sizes_bytes in (
            ("device ids", self._id_ends, [len(record.device_ids) for record in records]),
            ("bodies", np.cumsum(heads["body_bytes"], dtype=np.int64), [len(record.bodies) for record in records]),
        ):
            if (np.concatenate(([0], ends))[last] != np.cumsum(sizes_bytes)).any():
                raise MalformedEntriesError(f"its {name} are not as long as its heads say")
        for name, sizes in (
            ("namespace", [len(record.namespaces) for record in records]),
            ("wanted_version", [len(record.wanted_versions) for record in records]),
        ):
            if (heads[name] >= np.array(sizes, np.int64)[self._record]).any():
                raise MalformedEntriesError(f"it has no {name} of a number that stands in its heads")
        if not self._device_ids.isascii():
            self._check_characters()

    def _check_characters(self) -> None:
        try:
            self._device_ids.decode()
        except UnicodeDecodeError:
            raise MalformedEntriesError("its device ids are not UTF-8") from None
        starts = (self._id_ends - self._heads["device_id_bytes"])[self._heads["device_id_bytes"] > 0]
        mask, within = _CONTINUES_A_CHARACTER
        if (np.frombuffer(self._device_ids, np.uint8)[starts] & mask == within).any():
            raise MalformedEntriesError("a device id begins within a character")


def _joined_heads(records: Sequence[RecordEntries]) -> NDArray[np.void]:
    if any(len(record.heads) % _HEAD.itemsize for record in records):
        raise MalformedEntriesError(f"its heads are not of {_HEAD.itemsize} bytes each")
    return np.frombuffer(b"".join([record.heads for record in records]), _HEAD)
