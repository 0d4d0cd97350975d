"""What a record of the commands topic holds: many requests, as MessagePack, in the order they are decided.

A record's value is the array `[version, requests]`. A request's revision is made of the record's offset and the
request's index in it. Requests in one record are independent of one another.
"""

from collections.abc import Sequence

import msgspec

from fleet.decisions.commands import Request

VERSION = 1


class _Record(msgspec.Struct, array_like=True, frozen=True):
    version: int
    requests: list[Request]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Record).decode


def encode_requests(requests: Sequence[Request]) -> bytes:
    """A record's value. At most `fleet.position.MAX_INDEX + 1` requests."""
    return _encode((VERSION, requests))


def encode_request(request: Request) -> bytes:
    """One request, for `join_requests`."""
    return _encode(request)


def join_requests(encoded: Sequence[bytes]) -> bytes:
    """As `encode_requests`, from requests encoded before."""
    return _encode((VERSION, [msgspec.Raw(each) for each in encoded]))


def decode_requests(value: bytes) -> list[Request]:
    """The requests of a record's value. Raises msgspec.DecodeError if it is not one, or of a later version."""
    record = _decode(value)
    if record.version != VERSION:
        raise msgspec.ValidationError(f"command record version {record.version}, this program reads {VERSION}")
    return record.requests
