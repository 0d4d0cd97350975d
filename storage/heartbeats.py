"""The table behind the view `heartbeats`: a row for every accepted heartbeat, and in `device_seen_state` its device's.

Both go in as columns: most rows come from arrays and become no objects (`fleet.heartbeats.unchanged`).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from clickhouse_connect.driver import Client

from fleet.heartbeats.rows import HeartbeatRow, SeenRow
from fleet.heartbeats.unchanged import SharedTexts as Shared
from fleet.heartbeats.unchanged import UnchangedHeartbeats
from storage.native_block import Numbers, SharedTexts, Texts, native_block, rows_block
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

_NO_BODY: Final = b""


def insert_heartbeats(client: Client, unchanged: UnchangedHeartbeats, rows: Sequence[HeartbeatRow]) -> None:
    """Write both in one insert; none is no insert. Blocks. Raises clickhouse_connect's errors."""
    blocks = [rows_block(HEARTBEATS.columns, rows)] if rows else []
    if count := len(unchanged):
        no, yes = Numbers(np.zeros(count, np.uint8)), Numbers(np.ones(count, np.uint8))
        columns = (
            *_identity(unchanged),
            _shared(unchanged.statuses),
            _shared(unchanged.versions),
            _shared(unchanged.wanted_versions),
            yes,
            Numbers(unchanged.is_repeat),
            no,
            Numbers(unchanged.content_hashes),
            Texts([_NO_BODY] * count),
        )
        blocks.append(native_block(HEARTBEATS.columns, columns))
    insert_blocks(client, HEARTBEATS, blocks)


def insert_seen(client: Client, unchanged: UnchangedHeartbeats, rows: Sequence[SeenRow]) -> None:
    """As `insert_heartbeats`."""
    blocks = [rows_block(SEEN.columns, rows)] if rows else []
    if len(unchanged):
        blocks.append(native_block(SEEN.columns, _identity(unchanged)))
    insert_blocks(client, SEEN, blocks)


def _identity(unchanged: UnchangedHeartbeats) -> tuple[SharedTexts, Texts, Numbers, Numbers, Numbers]:
    return (
        _shared(unchanged.namespaces),
        Texts([device_id.encode() for device_id in unchanged.device_ids]),
        Numbers(unchanged.received_at_ms),
        Numbers(unchanged.partitions),
        Numbers(unchanged.sequences),
    )


def _shared(column: Shared) -> SharedTexts:
    return SharedTexts([text.encode() for text in column.texts], column.codes)
