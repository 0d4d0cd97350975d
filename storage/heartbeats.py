"""The table behind the view `heartbeats`: a row for every accepted heartbeat."""

from storage.table import PLACE, Table

HEARTBEATS = Table(
    "heartbeats_log",
    {
        "namespace": "LowCardinality(String)",
        "device_id": "String",
        **PLACE,
        "status": "LowCardinality(String)",
        "version": "String",
        "wanted_version": "String",
        "is_registered": "Bool",
        "is_repeat": "Bool",
        "is_changed": "Bool",
        "content_hash": "UInt64",
        "body": "String",
    },
    is_read_back=False,
)
"""Rows: `fleet.heartbeats.rows.HeartbeatRow`."""
