"""What a record of the feed holds: decided outcomes with the new resources in them, as MessagePack.

A record's value is the array `[version, outcomes, position]`. Outcomes stand in the order of their places in the
command log, of which `position` is the last; the retry of a request brings its first outcome, with the revision that
has. A reader that has applied every record up to the feed's end needs nothing else. After a crash of the deciding
worker outcomes are published again, so a reader skips what it has applied.
"""

from collections.abc import Sequence

import msgspec

from fleet.decisions.commands import Outcome

VERSION = 1


class _Record(msgspec.Struct, array_like=True, frozen=True):
    version: int
    outcomes: list[Outcome]
    position: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Record).decode


def encode_outcomes(outcomes: Sequence[Outcome], position: int = 0) -> bytes:
    """A record's value. `position` is the revision of the last place in the command log that it answers."""
    return _encode((VERSION, outcomes, position))


def decode_outcomes(value: bytes) -> list[Outcome]:
    """The outcomes of a record's value. Raises msgspec.DecodeError if it is not one, or of a later version."""
    return _read(value).outcomes


def decode_position(value: bytes) -> int:
    """Up to which revision a record answers the command log. Raises as `decode_outcomes`."""
    return _read(value).position


def _read(value: bytes) -> _Record:
    record = _decode(value)
    if record.version != VERSION:
        raise msgspec.ValidationError(f"feed record version {record.version}, this program reads {VERSION}")
    return record
