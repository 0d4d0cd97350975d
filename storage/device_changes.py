"""Which devices have said something new since a time: for those who follow devices, a look at one column.

Heartbeats that say what the last one said do not count; when a device was last seen changes without telling anybody.
"""

from typing import Final, NamedTuple

from fleet.heartbeats.batch import DeviceKey
from settings import ClickHouseSettings
from storage.lazy_client import LazyClient

CHANGES_LIMIT: Final = 10_000
"""Devices of one look."""

_LATEST: Final = "SELECT toUnixTimestamp64Milli(max(received_at)) FROM device_content_state"
_CHANGED: Final = """
    SELECT namespace, device_id, max(sequence), toUnixTimestamp64Milli(max(received_at) AS changed_at)
    FROM device_content_state
    WHERE received_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    GROUP BY namespace, device_id ORDER BY changed_at LIMIT {limit:UInt32}
"""


class ChangedDevice(NamedTuple):
    """A device whose last changed heartbeat stands at `sequence`, which the broker took at `received_at_ms`."""

    key: DeviceKey
    sequence: int
    received_at_ms: int


class ChangeReader:
    """Reads with a connection of its own, made when first needed. Not for several threads at once."""

    def __init__(self, settings: ClickHouseSettings, password: str) -> None:
        self._client = LazyClient(settings, password)

    def latest_ms(self) -> int:
        """When the newest change was received. Blocks. Raises clickhouse_connect's errors."""
        return int(self._client().query(_LATEST).result_rows[0][0])

    def changed_since(self, since_ms: int) -> list[ChangedDevice]:
        """Devices that changed after a time, oldest first. Blocks. Raises clickhouse_connect's errors."""
        parameters = {"since_ms": since_ms, "limit": CHANGES_LIMIT}
        rows = self._client().query(_CHANGED, parameters=parameters).result_rows
        return [ChangedDevice((row[0], row[1]), int(row[2]), int(row[3])) for row in rows]
