"""What a record of the feed holds: decided outcomes with the new resources in them, as MessagePack.

A record's value is the array `[version, outcomes]`, in the order of their revisions. A reader that has applied every
record up to the feed's end needs nothing else. After a crash of the deciding worker outcomes are published again, so
a reader skips what it has applied.
"""

from collections.abc import Sequence

import msgspec

from fleet.commands import Outcome

VERSION = 1


class _Record(msgspec.Struct, array_like=True, frozen=True):
    version: int
    outcomes: list[Outcome]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Record).decode


def encode_outcomes(outcomes: Sequence[Outcome]) -> bytes:
    """A record's value."""
    return _encode((VERSION, outcomes))


def decode_outcomes(value: bytes) -> list[Outcome]:
    """The outcomes of a record's value. Raises msgspec.DecodeError if it is not one, or of a later version."""
    record = _decode(value)
    if record.version != VERSION:
        raise msgspec.ValidationError(f"feed record version {record.version}, this program reads {VERSION}")
    return record.outcomes
