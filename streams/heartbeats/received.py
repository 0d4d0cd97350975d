"""Records as they came from Kafka, read and cut into portions that are folded and written together."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from fleet.errors import MusterError
from fleet.heartbeats.batch import ReceivedRecord
from fleet.heartbeats.entries import MalformedEntriesError
from fleet.position import MAX_INDEX, Position, pack_sequence, unpack_sequence
from streams.heartbeats.records import decode_heartbeats

ENTRIES_AT_ONCE: Final = 100_000
"""Heartbeats folded and written together: what two fetches bring when the worker is behind, and memory is bounded."""

BYTES_AT_ONCE: Final = 100_000_000
"""Bytes of records folded and written together, for the same reason."""

_ENTRIES_OF_A_PIECE: Final = 2000
"""Heartbeats that are looked at as soon as they are read, while the processor's caches hold them."""


class HeartbeatRecord(NamedTuple):
    """A record as it came from Kafka."""

    partition: int
    offset: int
    received_at_ms: int
    value: bytes


class Letter(NamedTuple):
    """What cannot be read or folded, for the dead letters."""

    position: Position
    value: bytes
    reason: str


class Portion(NamedTuple):
    """Of records that follow each other within each partition: what could not be read, and the offsets after them.

    `received_at_ms` is that of each record.
    """

    letters: list[Letter]
    next_offsets: dict[int, int]
    received_at_ms: list[int]


class RecordsMissingError(MusterError):
    """The consumer left records out. The worker must end: a new one reads on from the committed offset."""


def read_portion(
    records: deque[HeartbeatRecord], epoch: int, take: Callable[[Sequence[ReceivedRecord]], None]
) -> Portion:
    """Move records, which are in order within each partition, into `take` until a portion is full or none are left.

    `take` is called with a piece at a time. A record that cannot be read becomes a letter.
    """
    portion = Portion([], {}, [])
    piece: list[tuple[HeartbeatRecord, ReceivedRecord]] = []
    entries, of_piece, size_bytes = 0, 0, 0
    while records and entries < ENTRIES_AT_ONCE and size_bytes < BYTES_AT_ONCE:
        record = records.popleft()
        read = _read(record, epoch)
        if isinstance(read, str):
            portion.letters.append(_letter(record, epoch, read))
        else:
            piece.append((record, read))
            entries += len(read.entries)
            of_piece += len(read.entries)
        portion.next_offsets[record.partition] = record.offset + 1
        portion.received_at_ms.append(record.received_at_ms)
        size_bytes += len(record.value)
        if of_piece >= _ENTRIES_OF_A_PIECE:
            portion.letters.extend(_taken(piece, epoch, take))
            piece, of_piece = [], 0
    portion.letters.extend(_taken(piece, epoch, take))
    return portion


def position(partition: int, sequence: int) -> Position:
    """The position of a sequence in a partition."""
    epoch, offset, batch_index = unpack_sequence(sequence)
    return Position(epoch, partition, offset, batch_index)


def refuse_gaps(records: Sequence[HeartbeatRecord], next_offsets: Mapping[int, int]) -> None:
    """Raise RecordsMissingError if records are left out between `next_offsets` and these, or among them."""
    expected = dict(next_offsets)
    for record in records:
        wanted = expected.get(record.partition, record.offset)
        if record.offset > wanted:
            raise RecordsMissingError(
                f"partition {record.partition} goes on at {record.offset} instead of {wanted}: reading again from the"
                " last commit"
            )
        expected[record.partition] = max(wanted, record.offset + 1)


def _read(record: HeartbeatRecord, epoch: int) -> ReceivedRecord | str:
    """A record with its entries, or why it has none."""
    try:
        entries = decode_heartbeats(record.value)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"this record cannot be read: {error}"
    if len(entries) > MAX_INDEX + 1:
        return f"this record holds {len(entries)} heartbeats, more than {MAX_INDEX + 1}"
    first_sequence = pack_sequence(epoch, record.offset, 0)
    return ReceivedRecord(record.partition, first_sequence, record.received_at_ms, entries)


def _taken(
    piece: Sequence[tuple[HeartbeatRecord, ReceivedRecord]],
    epoch: int,
    take: Callable[[Sequence[ReceivedRecord]], None],
) -> Iterator[Letter]:
    """Have a piece taken; where that cannot be, record by record, so that only what is malformed becomes a letter."""
    try:
        take([read for _, read in piece])
    except MalformedEntriesError as error:
        if len(piece) == 1:
            yield _letter(piece[0][0], epoch, f"this record cannot be read: {error}")
        else:
            for each in piece:
                yield from _taken([each], epoch, take)


def _letter(record: HeartbeatRecord, epoch: int, reason: str) -> Letter:
    return Letter(position(record.partition, pack_sequence(epoch, record.offset, 0)), record.value, reason)
