"""What devices last reported, for those who look at them: a thousand devices in one query.

Read from the tables behind `device_status`, `workload_status` and `device_configurations` with the devices named on
both sides of the join, so that a page costs point reads however large the fleet is.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from clickhouse_connect.driver import Client

from fleet.devices.reported_status import DeviceReport, WorkloadReport
from fleet.heartbeats.batch import DeviceKey
from settings import ClickHouseSettings
from storage.lazy_client import LazyClient
from storage.namespaced_names import portions

_QUERY: Final = """
    SELECT namespace, device_id,
        toUnixTimestamp64Milli(if(seen.sequence > content.sequence, seen.received_at, content.received_at)),
        content.status, content.version, content.wanted_version, toUnixTimestamp64Milli(content.drifted_since),
        content.upgrade_commit_id, content.upgrade_status, content.upgrade_time,
        content.workload_names, content.workload_statuses,
        arrayMap(since -> toUnixTimestamp64Milli(since), content.workload_since),
        arrayMap(upload -> toUnixTimestamp64Milli(upload), content.workload_uploads)
    FROM (SELECT * FROM device_content_state FINAL PREWHERE (namespace, device_id) IN {names}) AS content
    LEFT JOIN (
        SELECT namespace, device_id, sequence, received_at FROM device_seen_state FINAL
        PREWHERE (namespace, device_id) IN {names}
    ) AS seen USING (namespace, device_id)
"""


def read_reports(client: Client, devices: Collection[DeviceKey]) -> dict[DeviceKey, DeviceReport]:
    """The reports of those devices that ever beat; a page of kubectl's is one query.

    Blocks. Raises clickhouse_connect's errors.
    """
    return {(row[0], row[1]): _report(row[2:]) for rows in portions(client, _QUERY, devices) for row in rows}


class ReportReader:
    """Reads with a connection of its own, made when first needed; threads may share it, and it mends itself."""

    def __init__(self, settings: ClickHouseSettings, password: str) -> None:
        self._client = LazyClient(settings, password)

    def __call__(self, devices: Collection[DeviceKey]) -> Mapping[DeviceKey, DeviceReport]:
        """The reports of devices. Blocks. Raises clickhouse_connect's errors."""
        return read_reports(self._client(), devices)


def _report(row: Any) -> DeviceReport:
    *texts, names, statuses, since, uploads = row
    workloads = (WorkloadReport(*workload) for workload in zip(names, statuses, since, uploads, strict=True))
    return DeviceReport._make([*texts, tuple(workloads)])
