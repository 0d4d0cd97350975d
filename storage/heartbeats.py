"""The table behind the view `heartbeats`: a row for every accepted heartbeat, and in `device_seen_state` its device's.

Both go in as columns: most rows come from arrays and become no objects (`fleet.heartbeats.unchanged`).
"""

from collections.abc import Sequence

import numpy as np
from clickhouse_connect.driver import Client

from fleet.heartbeats.entries import SharedTexts as Shared
from fleet.heartbeats.rows import HeartbeatRow, SeenRow
from fleet.heartbeats.unchanged import UnchangedHeartbeats
from storage.native_block import Column, Encoded, NoTexts, Numbers, SharedTexts, Texts, native_block, rows_block
from storage.table import PLACE, Table, insert_blocks

HEARTBEATS = Table(
    "heartbeats_log",
    {
        "namespace": "LowCardinality(String)",
        "device_id": "String",
        **PLACE,
        "status": "LowCardinality(String)",
        "version": "LowCardinality(String)",
        "wanted_version": "LowCardinality(String)",
        "is_registered": "Bool",
        "is_repeat": "Bool",
        "is_changed": "Bool",
        "content_hash": "UInt64",
        "body": "String",
    },
    is_read_back=False,
)
"""Rows: `fleet.heartbeats.rows.HeartbeatRow`."""

SEEN = Table("device_seen_state", {"namespace": "LowCardinality(String)", "device_id": "String", **PLACE})
"""Rows: `fleet.heartbeats.rows.SeenRow`."""

Identity = tuple[Encoded, ...]
"""The columns of whose heartbeat and which it is, which both tables begin with."""


def identity(unchanged: UnchangedHeartbeats) -> Identity:
    """Of each heartbeat, for `insert_heartbeats` and `insert_seen`."""
    columns: tuple[Column, ...] = (
        _shared(unchanged.namespaces),
        Texts(unchanged.device_ids),
        Numbers(unchanged.received_at_ms),
        Numbers(unchanged.partitions),
        Numbers(unchanged.sequences),
    )
    return tuple(map(Encoded.of, columns))


def insert_heartbeats(
    client: Client, unchanged: UnchangedHeartbeats, identities: Identity, rows: Sequence[HeartbeatRow]
) -> None:
    """Write both in one insert; none is no insert. Blocks. Raises clickhouse_connect's errors."""
    blocks = [rows_block(HEARTBEATS.columns, rows)] if rows else []
    if count := len(unchanged):
        no, yes = Numbers(np.zeros(count, np.uint8)), Numbers(np.ones(count, np.uint8))
        columns: tuple[Column, ...] = (
            *identities,
            _shared(unchanged.statuses),
            _shared(unchanged.versions),
            _shared(unchanged.wanted_versions),
            yes,
            Numbers(unchanged.is_repeat),
            no,
            Numbers(unchanged.content_hashes),
            NoTexts(count),
        )
        blocks.append(native_block(HEARTBEATS.columns, columns))
    insert_blocks(client, HEARTBEATS, blocks)


def insert_seen(client: Client, identities: Identity, rows: Sequence[SeenRow]) -> None:
    """As `insert_heartbeats`."""
    blocks = [rows_block(SEEN.columns, rows)] if rows else []
    if len(identities[0]):
        blocks.append(native_block(SEEN.columns, identities))
    insert_blocks(client, SEEN, blocks)


def _shared(column: Shared) -> SharedTexts:
    return SharedTexts([text.encode() for text in column.texts], column.codes)
