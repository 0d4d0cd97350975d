"""The table behind the view `workload_status`: each workload on each device as last reported."""

from storage.table import PLACE, Table

WORKLOADS = Table(
    "workload_state",
    {
        "namespace": "LowCardinality(String)",
        "device_id": "String",
        "workload": "String",
        **PLACE,
        "status": "LowCardinality(String)",
        "since": "DateTime64(3, 'UTC')",
        "last_data_upload": "Nullable(DateTime64(3, 'UTC'))",
    },
)
"""Rows: `fleet.heartbeats.rows.WorkloadRow`."""
