"""The tables behind the views `device_transitions` and `workload_transitions`: a row for every change of status."""

from storage.table import PLACE, Table

DEVICE_TRANSITIONS = Table(
    "device_transitions_log",
    {
        "namespace": "LowCardinality(String)",
        "device_id": "String",
        **PLACE,
        "status": "LowCardinality(String)",
        "previous_status": "LowCardinality(String)",
        "version": "String",
        "previous_version": "String",
    },
    is_read_back=False,
)
"""Rows: `fleet.heartbeats.rows.DeviceTransitionRow`."""

WORKLOAD_TRANSITIONS = Table(
    "workload_transitions_log",
    {
        "namespace": "LowCardinality(String)",
        "device_id": "String",
        "workload": "String",
        **PLACE,
        "status": "LowCardinality(String)",
        "previous_status": "LowCardinality(String)",
        "previous_since": "Nullable(DateTime64(3, 'UTC'))",
    },
    is_read_back=False,
)
"""Rows: `fleet.heartbeats.rows.WorkloadTransitionRow`."""
