"""What a record of the heartbeats topic holds: many heartbeats of one partition, as MessagePack.

A record's value is the array `[version, entries]`; an entry is the array
`[namespace, device_id, content_hash, is_checked, wanted_version, body, kind]`:

- `content_hash`: xxh3-64 of the body without its `time`; equal hashes mean the device said the same thing.
- `is_checked`: whether the API knew the device to be registered; if not, the agent looks it up.
- `wanted_version`: the configuration version the device should run, or nil if the API knows none.
- `body`: the heartbeat's bytes as the device sent them (MessagePack bin). JSON.
- `kind`: `heartbeat`, or `hardware` for the full hardware of a registration; then `body` is `{"hardware": {…}}` and
  says nothing else: it is no sign of life, and neither status, version, workloads nor events follow from it.

The version is raised when a reader of the old layout would misread the new one; fields may be appended without that.
"""

from collections.abc import Sequence
from typing import Literal
from zlib import crc32

import msgspec

VERSION = 1


class HeartbeatEntry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One accepted heartbeat or a registration's hardware. Its position is the record's, with its index in it."""

    namespace: str
    device_id: str
    content_hash: int
    is_checked: bool
    wanted_version: str | None
    body: bytes
    kind: Literal["heartbeat", "hardware"] = "heartbeat"


class _Record(msgspec.Struct, array_like=True, frozen=True, gc=False):
    version: int
    entries: list[HeartbeatEntry]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Record).decode


def encode_heartbeats(entries: Sequence[HeartbeatEntry]) -> bytes:
    """A record's value. At most `fleet.position.MAX_INDEX + 1` entries."""
    return _encode((VERSION, entries))


def decode_heartbeats(value: bytes) -> list[HeartbeatEntry]:
    """The entries of a record's value. Raises msgspec.DecodeError if it is not one, or of a later version."""
    record = _decode(value)
    if record.version != VERSION:
        raise msgspec.ValidationError(f"heartbeat record version {record.version}, this program reads {VERSION}")
    return record.entries


def partition_of(namespace: str, device_id: str, partitions: int) -> int:
    """The partition that carries all heartbeats of a device. Part of the format: it must never change in an epoch."""
    return crc32(f"{namespace}/{device_id}".encode()) % partitions
