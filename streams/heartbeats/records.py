"""What a record of the heartbeats topic holds: many heartbeats of one partition, as MessagePack.

A record's value is the array `[version, namespaces, wanted_versions, heads, device_ids, bodies]`, whose columns
`fleet.heartbeats.entries.RecordEntries` tells byte by byte. Of each entry there are:

- namespace and device id.
- `content_hash`: xxh3-64 of the body without its `time`; equal hashes mean the device said the same thing.
- `is_checked`: whether the API knew the device to be registered; if not, the agent looks it up.
- `wanted_version`: the configuration version the device should run, or an empty text if the API knows none.
- `body`: the heartbeat's bytes as the device sent them. JSON.
- `kind`: `heartbeat`, or `hardware` for the full hardware of a registration; then `body` is `{"hardware": {…}}` and
  says nothing else: it is no sign of life, and neither status, version, workloads nor events follow from it.

The version is raised when a reader of the old layout would misread the new one; columns may be appended without that.
Version 1 is read as well: `[1, entries]`, each entry an array `[namespace, device_id, content_hash, is_checked,
wanted_version, body, kind]`.
"""

from collections.abc import Iterable
from typing import Literal
from zlib import crc32

import msgspec

from fleet.heartbeats.entries import HeartbeatEntry, RecordEntries
from fleet.position import MAX_INDEX

VERSION = 2

_HASH_MASK = 2**64 - 1
"""Hashes of version 1 were integers of any size."""


class _Versioned(msgspec.Struct, array_like=True, frozen=True, gc=False):
    version: int


class _Record(_Versioned, array_like=True, frozen=True, gc=False):
    namespaces: list[str]
    wanted_versions: list[str]
    heads: bytes
    device_ids: bytes
    bodies: memoryview


class _FirstEntry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An entry as version 1 spelt it."""

    namespace: str
    device_id: str
    content_hash: int
    is_checked: bool
    wanted_version: str | None
    body: bytes
    kind: Literal["heartbeat", "hardware"] = "heartbeat"


class _FirstRecord(_Versioned, array_like=True, frozen=True, gc=False):
    entries: list[_FirstEntry]


_encode = msgspec.msgpack.Encoder().encode
_decode_version = msgspec.msgpack.Decoder(_Versioned).decode
_decode = msgspec.msgpack.Decoder(_Record).decode
_decode_first = msgspec.msgpack.Decoder(_FirstRecord).decode


def encode_heartbeats(entries: Iterable[HeartbeatEntry]) -> bytes:
    """A record's value. At most `fleet.position.MAX_INDEX + 1` entries."""
    columns = RecordEntries.of(entries)
    return _encode((VERSION, *msgspec.structs.astuple(columns)))


def decode_heartbeats(value: bytes) -> RecordEntries:
    """The entries of a record's value, which must not change as long as they are used.

    Raises msgspec.DecodeError if it is not one, or of a later version. Whether its columns fit each other is not looked
    at here (`fleet.heartbeats.entries.EntryColumns`).
    """
    version = _decode_version(value).version
    if version == VERSION:
        record = _decode(value)
        return RecordEntries(record.namespaces, record.wanted_versions, record.heads, record.device_ids, record.bodies)
    if version == 1:
        entries = _decode_first(value).entries
        if len(entries) > MAX_INDEX + 1:
            raise msgspec.ValidationError(f"this record holds {len(entries)} heartbeats, more than {MAX_INDEX + 1}")
        return RecordEntries.of(map(_entry, entries))
    raise msgspec.ValidationError(f"heartbeat record version {version}, this program reads {VERSION}")


def _entry(first: _FirstEntry) -> HeartbeatEntry:
    return HeartbeatEntry(
        first.namespace,
        first.device_id,
        first.content_hash & _HASH_MASK,
        first.is_checked,
        first.wanted_version,
        first.body,
        first.kind,
    )


def partition_of(namespace: str, device_id: str, partitions: int) -> int:
    """The partition that carries all heartbeats of a device. Part of the format: it must never change in an epoch."""
    return crc32(f"{namespace}/{device_id}".encode()) % partitions
