"""Sets the heartbeats apart that say what their device said last, thousands at once, in columns.

Nothing follows from such a heartbeat but a narrow row and a sign of life. Whatever may need more than that is left to
the fold: an unknown or unchecked device, another hash, an older position, events that are no repetition, another
wanted version; then every later heartbeat of its device in the batch, since there the order counts.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleet.heartbeats.batch import Arrival, Place, ReceivedRecord
from fleet.heartbeats.device_memory import DeviceMemory, KnownDevice, LastHeartbeats, Said
from fleet.heartbeats.entries import EntryColumns, SharedTexts

_NONE: Final = -1
"""Instead of the index or number of something that is not there."""

_IN_REST: Final = -2
"""Instead of the index of a device's heartbeat, once one of them was left to the fold."""


class UnchangedHeartbeats(NamedTuple):
    """Columns of `HeartbeatRow`, in the order of each device's; all are registered, none is changed or has a body.

    `numbers` are the memory's, `device_ids` in UTF-8.
    """

    numbers: NDArray[np.int64]
    namespaces: SharedTexts
    device_ids: list[bytes]
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


class Parting:
    """Parts a batch that comes in pieces: what is unchanged of one need not be kept until the next is read.

    The memory stays as it is, and nothing else may change it meanwhile.
    """

    def __init__(self, memory: DeviceMemory, repeat_within_ms: int) -> None:
        self._memory = memory
        self._repeat_within_ms = repeat_within_ms
        self._pieces: list[_Unchanged] = []
        self._device_ids: list[bytes] = []
        self._namespaces = _Codes()
        self._wanted_versions = _Codes()
        self._rest: list[Arrival] = []
        # Of each device of the memory the index of its latest unchanged heartbeat, _NONE or _IN_REST.
        self._latest = np.full(len(memory), _NONE, np.int32)

    def take(self, records: Sequence[ReceivedRecord]) -> None:
        """The next records; they must be in order within each partition, from one call to the next as well.

        Raises MalformedEntriesError, and has taken nothing then, if the columns of one of them do not fit each other.
        """
        piece = _piece(records)
        entries = piece.entries
        numbers = self._memory.find(entries.digests)
        at = np.flatnonzero(entries.is_checked_heartbeat & (numbers >= 0) & ~_is_of_several(numbers))
        at = at[self._latest[numbers[at]] != _IN_REST]
        last = self._last(numbers[at])
        is_same = (last.content_hashes == entries.content_hashes[at]) & (last.sequences < piece.sequences[at])
        at, said_codes = at[is_same], last.said[is_same]
        is_repeat = np.abs(piece.received_at_ms[at] - last.received_at_ms[is_same]) <= self._repeat_within_ms
        wanted = self._wanted_versions.of(entries.wanted_versions, at)
        is_all = self._brings_nothing(said_codes, wanted, is_repeat)

        at = at[is_all]
        self._rest += self._arrivals(piece, numbers, at)
        first = len(self._device_ids)
        self._latest[numbers[at]] = np.arange(first, first + len(at))
        self._device_ids += entries.device_ids(at)
        self._pieces.append(
            _Unchanged(
                numbers[at],
                self._namespaces.of(entries.namespaces, at),
                piece.received_at_ms[at],
                piece.partitions[at],
                piece.sequences[at],
                said_codes[is_all],
                wanted[is_all],
                is_repeat[is_all],
                entries.content_hashes[at],
            )
        )

    def parted(self) -> Parted:
        """All that was taken."""
        of_all = _Unchanged(*(np.concatenate(columns) for columns in zip(_NOTHING, *self._pieces, strict=True)))
        saids, said = self._said(of_all.said)
        unchanged = UnchangedHeartbeats(
            of_all.numbers,
            SharedTexts(list(self._namespaces), of_all.namespaces),
            self._device_ids,
            of_all.received_at_ms,
            of_all.partitions,
            of_all.sequences,
            SharedTexts([each.status for each in saids], said),
            SharedTexts([each.version for each in saids], said),
            SharedTexts(list(self._wanted_versions), of_all.wanted_versions),
            of_all.is_repeat,
            of_all.content_hashes,
        )
        return Parted(unchanged, self._rest)

    def _last(self, numbers: NDArray[np.int64]) -> LastHeartbeats:
        """The last heartbeats of devices, with those that were set apart before."""
        last, latest = self._memory.last(numbers), self._latest[numbers]
        if (is_later := latest >= 0).any():
            at = latest[is_later]
            last.sequences[is_later] = np.concatenate([piece.sequences for piece in self._pieces])[at]
            last.received_at_ms[is_later] = np.concatenate([piece.received_at_ms for piece in self._pieces])[at]
        return last

    def _said(self, codes: NDArray[np.int32]) -> tuple[list[Said], NDArray[np.int64]]:
        """What numbers of the memory stand for, each once, and where each number's stands there."""
        used, indexes = np.unique(codes, return_inverse=True)
        return [self._memory.said(code) for code in used.tolist()], indexes

    def _brings_nothing(
        self, said_codes: NDArray[np.int32], wanted: NDArray[np.int64], is_repeat: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Whether nothing follows from the wanted version, nor from events when what was said is said again."""
        saids, said = self._said(said_codes)
        codes = self._wanted_versions
        said_wanted = np.array([codes.get(each.wanted_version, _NONE) for each in saids], np.int64)[said]
        has_events = np.array([each.has_events for each in saids], bool)[said]
        is_wanted = (wanted == said_wanted) | (wanted == codes.get("", _NONE))
        brings_nothing: NDArray[np.bool_] = is_wanted & (is_repeat | ~has_events)
        return brings_nothing

    def _arrivals(self, piece: "_Piece", numbers: NDArray[np.int64], unchanged: NDArray[np.int64]) -> Iterator[Arrival]:
        """All but what is unchanged; from now on the rest of their devices' heartbeats are left to the fold too."""
        is_rest = np.ones(len(numbers), bool)
        is_rest[unchanged] = False
        at = np.flatnonzero(is_rest)
        of_rest = numbers[at]
        places = map(
            Place, piece.received_at_ms[at].tolist(), piece.partitions[at].tolist(), piece.sequences[at].tolist()
        )
        arrivals = map(Arrival, piece.entries.entries(at), places, of_rest.tolist(), self._known(of_rest))
        self._latest[of_rest[of_rest >= 0]] = _IN_REST
        return arrivals

    def _known(self, numbers: NDArray[np.int64]) -> list[KnownDevice | None]:
        """As the memory's, with the heartbeats that were set apart before."""
        known = self._memory.known(numbers.tolist())
        is_later = numbers >= 0
        is_later[is_later] = self._latest[numbers[is_later]] >= 0
        at = np.flatnonzero(is_later)
        last = self._last(numbers[at])
        for index, sequence, received_at_ms in zip(
            at.tolist(), last.sequences.tolist(), last.received_at_ms.tolist(), strict=True
        ):
            before = known[index]
            known[index] = before and before._replace(sequence=sequence, received_at_ms=received_at_ms)
        return known


class _Codes(dict[str, int]):
    """Numbers for texts, in the order in which they came."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code

    def of(self, column: SharedTexts, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of the texts at these rows."""
        return np.fromiter(map(self.__getitem__, column.texts), np.int64, len(column.texts))[column.codes[at]]


class _Unchanged(NamedTuple):
    """Columns of `UnchangedHeartbeats`; texts as numbers, `said` the memory's."""

    numbers: NDArray[np.int64]
    namespaces: NDArray[np.int64]
    received_at_ms: NDArray[np.int64]
    partitions: NDArray[np.uint16]
    sequences: NDArray[np.uint64]
    said: NDArray[np.int32]
    wanted_versions: NDArray[np.int64]
    is_repeat: NDArray[np.bool_]
    content_hashes: NDArray[np.uint64]


_NOTHING: Final = _Unchanged(
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.uint16),
    np.empty(0, np.uint64),
    np.empty(0, np.int32),
    np.empty(0, np.int64),
    np.empty(0, bool),
    np.empty(0, np.uint64),
)


class _Piece(NamedTuple):
    entries: EntryColumns
    received_at_ms: NDArray[np.int64]
    partitions: NDArray[np.uint16]
    sequences: NDArray[np.uint64]


def _piece(records: Sequence[ReceivedRecord]) -> _Piece:
    entries = EntryColumns([record.entries for record in records])
    sizes = entries.sizes
    indexes = np.arange(len(entries)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return _Piece(
        entries,
        np.repeat(np.fromiter((record.received_at_ms for record in records), np.int64, len(records)), sizes),
        np.repeat(np.fromiter((record.partition for record in records), np.uint16, len(records)), sizes),
        np.repeat(np.fromiter((record.first_sequence for record in records), np.uint64, len(records)), sizes)
        + indexes.astype(np.uint64),
    )


def _is_of_several(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a device is among them more than once; of those not known (-1) it does not matter."""
    distinct, counts = np.unique(numbers, return_counts=True)
    several = distinct[counts > 1]
    return np.isin(numbers, several) if several.size else np.zeros(len(numbers), bool)
