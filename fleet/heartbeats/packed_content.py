"""What a device said last, packed: what many devices share apart from what is each one's own.

Both parts are MessagePack arrays, with texts as bytes, as ClickHouse's `formatRow('MsgPack', …)` makes them too, so
that a fleet is loaded without a look into its contents (`storage/device_contents.py`).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from fleet.heartbeats.rows import ContentRow


class PackedContent(NamedTuple):
    """`shape`: what is alike on many devices. `own`: times, of which most are the same within a device."""

    shape: bytes
    own: bytes


class _PackedShape(NamedTuple):
    upgrade_commit_id: bytes
    upgrade_status: bytes
    workload_names: list[bytes]
    workload_statuses: list[bytes]
    playbook_names: list[bytes]
    playbook_statuses: list[bytes]


class _Shape(NamedTuple):
    upgrade_commit_id: str
    upgrade_status: str
    workload_names: tuple[str, ...]
    workload_statuses: tuple[str, ...]
    playbook_names: tuple[str, ...]
    playbook_statuses: tuple[str, ...]


class _Own(NamedTuple):
    """Times of workloads are counted from `status_since_ms`."""

    status_since_ms: int
    drifted_since_ms: int | None
    upgrade_time: bytes
    workload_since_ms: list[int]
    workload_uploads_ms: list[int | None]


_encode = msgspec.msgpack.Encoder().encode
_decode_shape = msgspec.msgpack.Decoder(_PackedShape).decode
_decode_own = msgspec.msgpack.Decoder(_Own).decode

_SHAPES_AT_HAND: Final = 4096
"""Shapes of which both forms are kept, since most devices of a batch have one of a few."""


def pack_content(content: ContentRow) -> PackedContent:
    """All of the row that `unpack_content` is not told."""
    since_ms = content.status_since_ms
    return PackedContent(
        _pack_shape(
            _Shape(
                content.upgrade_commit_id,
                content.upgrade_status,
                tuple(content.workload_names),
                tuple(content.workload_statuses),
                tuple(content.playbook_names),
                tuple(content.playbook_statuses),
            )
        ),
        _encode(
            _Own(
                since_ms,
                content.drifted_since_ms,
                content.upgrade_time.encode(),
                [time_ms - since_ms for time_ms in content.workload_since_ms],
                [None if time_ms is None else time_ms - since_ms for time_ms in content.workload_uploads_ms],
            )
        ),
    )


class SaidLast(NamedTuple):
    """What is remembered of a content apart from the packed parts, in the order of `ContentRow`'s fields."""

    namespace: str
    device_id: str
    received_at_ms: int
    partition: int
    sequence: int
    content_hash: int
    status: str
    version: str
    wanted_version: str
    has_events: bool


def unpack_content(said: SaidLast, packed: PackedContent) -> ContentRow:
    """The row that was packed."""
    shape, own = _unpack_shape(packed.shape), _decode_own(packed.own)
    since_ms = own.status_since_ms
    return ContentRow(
        *said[:7],
        since_ms,
        said.version,
        said.wanted_version,
        own.drifted_since_ms,
        shape.upgrade_commit_id,
        shape.upgrade_status,
        own.upgrade_time.decode(),
        said.has_events,
        list(shape.workload_names),
        list(shape.workload_statuses),
        [time_ms + since_ms for time_ms in own.workload_since_ms],
        [None if time_ms is None else time_ms + since_ms for time_ms in own.workload_uploads_ms],
        list(shape.playbook_names),
        list(shape.playbook_statuses),
        [],
    )


@lru_cache(_SHAPES_AT_HAND)
def _pack_shape(shape: _Shape) -> bytes:
    upgrade_commit_id, upgrade_status, *lists = shape
    return _encode(_PackedShape(upgrade_commit_id.encode(), upgrade_status.encode(), *map(_bytes, lists)))


@lru_cache(_SHAPES_AT_HAND)
def _unpack_shape(packed: bytes) -> _Shape:
    upgrade_commit_id, upgrade_status, *lists = _decode_shape(packed)
    return _Shape(upgrade_commit_id.decode(), upgrade_status.decode(), *map(_texts, lists))


def _bytes(texts: Sequence[str]) -> list[bytes]:
    return [text.encode() for text in texts]


def _texts(values: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(value.decode() for value in values)
