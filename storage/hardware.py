"""The table behind the view `hardware`: what is known of each device's hardware."""

from collections.abc import Collection

from clickhouse_connect.driver import Client

from fleet.devices.hardware import decode_hardware
from fleet.heartbeats.batch import DeviceKey, StoredHardware
from storage.namespaced_names import portions
from storage.table import PLACE, Table

HARDWARE = Table(
    "device_hardware_state",
    {
        "namespace": "LowCardinality(String)",
        "device_id": "String",
        **PLACE,
        "hostname": "String",
        "cpu_architecture": "LowCardinality(String)",
        "cpu_model": "LowCardinality(String)",
        "cpu_count": "Int64",
        "memory_bytes": "Int64",
        "manufacturer": "LowCardinality(String)",
        "product": "LowCardinality(String)",
        "serial_number": "String",
        "description": "String",
    },
)
"""Rows: `fleet.heartbeats.rows.HardwareRow`."""

_QUERY = """
    SELECT namespace, device_id, sequence, description
    FROM device_hardware_state FINAL
    PREWHERE (namespace, device_id) IN {names}
"""


def read_hardware(client: Client, devices: Collection[DeviceKey]) -> dict[DeviceKey, StoredHardware]:
    """The hardware of those devices that have any. Blocks. Raises clickhouse_connect's errors."""
    return {
        (namespace, device_id): StoredHardware(sequence, decode_hardware(description))
        for rows in portions(client, _QUERY, devices)
        for namespace, device_id, sequence, description in rows
    }
