"""Sets the heartbeats apart that say what their device said last, a whole batch at once, in columns.

Nothing follows from such a heartbeat but a narrow row and a sign of life. Whatever may need more than that is left to
the fold: an unknown or unchecked device, another hash, an older position, events that are no repetition, another
wanted version, and every heartbeat of a device that is in the batch twice, since there the order counts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleet.heartbeats.batch import HASH_MASK, Arrival, Entry, Place, ReceivedRecord
from fleet.heartbeats.device_index import digests
from fleet.heartbeats.device_memory import DeviceMemory


class SharedTexts(NamedTuple):
    """A column of texts of which few are distinct: of each row the number of its text."""

    texts: list[str]
    codes: NDArray[np.int64]


class UnchangedHeartbeats(NamedTuple):
    """Columns of `HeartbeatRow`; all are registered, none is changed or has a body. `numbers` are the memory's."""

    numbers: NDArray[np.int64]
    namespaces: SharedTexts
    device_ids: list[str]
    received_at_ms: NDArray[np.int64]
    partitions: NDArray[np.uint16]
    sequences: NDArray[np.uint64]
    statuses: SharedTexts
    versions: SharedTexts
    wanted_versions: SharedTexts
    is_repeat: NDArray[np.bool_]
    content_hashes: NDArray[np.uint64]

    def __len__(self) -> int:
        """Heartbeats, not columns."""
        return len(self.device_ids)


class Parted(NamedTuple):
    """A batch: what is unchanged, and the rest in the order in which it came."""

    unchanged: UnchangedHeartbeats
    rest: list[Arrival]


def part(records: Sequence[ReceivedRecord], memory: DeviceMemory, repeat_within_ms: int) -> Parted:
    """Part records, which must be in order within each partition. The memory stays as it is."""
    batch = _columns(records)
    numbers = memory.find(digests([f"{entry.namespace}/{entry.device_id}" for entry in batch.entries]))
    at = np.flatnonzero(batch.is_checked_heartbeat & (numbers >= 0) & ~_is_of_several(numbers, len(memory)))
    last = memory.last(numbers[at])
    is_same = (last.content_hashes == batch.content_hashes[at]) & (last.sequences < batch.sequences[at])
    at, said_codes = at[is_same], last.said[is_same]
    is_repeat = np.abs(batch.received_at_ms[at] - last.received_at_ms[is_same]) <= repeat_within_ms

    used, said = np.unique(said_codes, return_inverse=True)
    saids = [memory.said(code) for code in used.tolist()]
    wanted = _shared([batch.entries[index].wanted_version or "" for index in at.tolist()])
    codes = {version: code for code, version in enumerate(wanted.texts)}
    said_wanted = np.array([codes.get(each.wanted_version, -1) for each in saids], np.int64)[said]
    has_events = np.array([each.has_events for each in saids], bool)[said]
    is_all = (wanted.codes == said_wanted) | (wanted.codes == codes.get("", -1))
    is_all &= is_repeat | ~has_events

    at, said = at[is_all], said[is_all]
    entries = [batch.entries[index] for index in at.tolist()]
    unchanged = UnchangedHeartbeats(
        numbers[at],
        _shared([entry.namespace for entry in entries]),
        [entry.device_id for entry in entries],
        batch.received_at_ms[at],
        batch.partitions[at],
        batch.sequences[at],
        SharedTexts([each.status for each in saids], said),
        SharedTexts([each.version for each in saids], said),
        SharedTexts(wanted.texts, wanted.codes[is_all]),
        is_repeat[is_all],
        batch.content_hashes[at],
    )
    return Parted(unchanged, _rest(batch, numbers, at))


class _Batch(NamedTuple):
    entries: list[Entry]
    received_at_ms: NDArray[np.int64]
    partitions: NDArray[np.uint16]
    sequences: NDArray[np.uint64]
    content_hashes: NDArray[np.uint64]
    is_checked_heartbeat: NDArray[np.bool_]


def _columns(records: Sequence[ReceivedRecord]) -> _Batch:
    entries = [entry for record in records for entry in record.entries]
    sizes = np.fromiter((len(record.entries) for record in records), np.int64, len(records))
    indexes = np.arange(len(entries)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return _Batch(
        entries,
        np.repeat(np.fromiter((record.received_at_ms for record in records), np.int64, len(records)), sizes),
        np.repeat(np.fromiter((record.partition for record in records), np.uint16, len(records)), sizes),
        np.repeat(np.fromiter((record.first_sequence for record in records), np.uint64, len(records)), sizes)
        + indexes.astype(np.uint64),
        np.fromiter((entry.content_hash & HASH_MASK for entry in entries), np.uint64, len(entries)),
        np.fromiter((entry.is_checked and entry.kind == "heartbeat" for entry in entries), bool, len(entries)),
    )


def _is_of_several(numbers: NDArray[np.int64], devices: int) -> NDArray[np.bool_]:
    """Whether a device is in the batch more than once; of those not known (-1) it does not matter."""
    known = numbers[numbers >= 0]
    order = np.arange(len(known), dtype=np.int32)
    latest = np.empty(devices, np.int32)
    latest[known] = order
    several = known[latest[known] != order]
    return np.isin(numbers, several) if several.size else np.zeros(len(numbers), bool)


def _shared(texts: Sequence[str]) -> SharedTexts:
    codes = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    return SharedTexts(list(codes), np.fromiter(map(codes.__getitem__, texts), np.int64, len(texts)))


def _rest(batch: _Batch, numbers: NDArray[np.int64], unchanged: NDArray[np.int64]) -> list[Arrival]:
    is_rest = np.ones(len(batch.entries), bool)
    is_rest[unchanged] = False
    at = np.flatnonzero(is_rest)
    places = map(Place, batch.received_at_ms[at].tolist(), batch.partitions[at].tolist(), batch.sequences[at].tolist())
    return list(map(Arrival, [batch.entries[index] for index in at.tolist()], places, numbers[at].tolist()))
