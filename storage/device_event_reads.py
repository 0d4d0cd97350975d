"""The newest events of a device, of a namespace or of all, for those who look at them."""

from typing import Final

from clickhouse_connect.driver import Client

from fleet.resources.event import SeenEvent
from settings import ClickHouseSettings
from storage.lazy_client import LazyClient

EVENTS_LIMIT: Final = 500
"""Events shown at a time, the newest; `device_events` has them all."""

QUERY_LIMIT_S: Final = 5
"""The engine ends a query after this; whoever asked has given up by then."""

_QUERY: Final = """
    SELECT namespace, device_id, toUnixTimestamp64Milli(received_at), source, partition, sequence, event_index,
        type, reason, message
    FROM device_events_log FINAL
    WHERE ({namespace:String} = '' OR namespace = {namespace:String})
        AND ({device_id:String} = '' OR device_id = {device_id:String})
    ORDER BY received_at DESC, sequence DESC, event_index DESC
    LIMIT {limit:UInt32}
    SETTINGS do_not_merge_across_partitions_select_final = 1
"""


class EventReader:
    """Reads with a connection of its own, made when first needed; threads may share it, and it mends itself."""

    def __init__(self, settings: ClickHouseSettings, password: str) -> None:
        self._client = LazyClient(settings, password)

    def __call__(self, namespace: str, device_id: str) -> list[SeenEvent]:
        """The events, oldest first; "" stands for all. Blocks. Raises clickhouse_connect's errors."""
        return read_events(self._client(), namespace, device_id)


def read_events(client: Client, namespace: str, device_id: str) -> list[SeenEvent]:
    """The newest events, oldest first. Blocks."""
    parameters = {"namespace": namespace, "device_id": device_id, "limit": EVENTS_LIMIT}
    rows = client.query(_QUERY, parameters=parameters, settings={"max_execution_time": QUERY_LIMIT_S}).result_rows
    return [SeenEvent._make(row) for row in reversed(rows)]
