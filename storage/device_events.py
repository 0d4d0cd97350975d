"""The table behind the view `device_events`: what devices reported and what the service saw about them."""

from storage.table import Table

DEVICE_EVENTS = Table(
    "device_events_log",
    {
        "namespace": "LowCardinality(String)",
        "device_id": "String",
        "received_at": "DateTime64(3, 'UTC')",
        "source": "LowCardinality(String)",
        "partition": "UInt16",
        "sequence": "UInt64",
        "event_index": "UInt32",
        "type": "LowCardinality(String)",
        "reason": "LowCardinality(String)",
        "message": "String",
    },
    is_read_back=False,
)
"""Rows: `fleet.heartbeats.rows.DeviceEventRow`."""
