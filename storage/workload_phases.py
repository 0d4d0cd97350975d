"""How many devices report a workload, by what they say of it: counted in the table behind `workload_status`.

A count goes through all workloads of a namespace, which takes about half a second for a million devices.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final

from clickhouse_connect.driver import Client

from settings import ClickHouseSettings
from storage.lazy_client import LazyClient
from storage.namespaced_names import NamespacedName, portions

_QUERY: Final = """
    SELECT namespace, workload, status, count()
    FROM workload_state FINAL
    WHERE (namespace, workload) IN {names} AND status != 'removed'
    GROUP BY namespace, workload, status
"""


def read_phases(client: Client, workloads: Collection[NamespacedName]) -> dict[NamespacedName, dict[str, int]]:
    """Devices by phase, for those of the workloads that any device reports. A removed one counts no more.

    Blocks. Raises clickhouse_connect's errors.
    """
    phases: dict[NamespacedName, dict[str, int]] = defaultdict(dict)
    for rows in portions(client, _QUERY, workloads):
        for namespace, name, phase, devices in rows:
            phases[namespace, name][phase] = devices
    return dict(phases)


class PhaseReader:
    """Reads with a connection of its own, made when first needed; threads may share it, and it mends itself."""

    def __init__(self, settings: ClickHouseSettings, password: str) -> None:
        self._client = LazyClient(settings, password)

    def __call__(self, workloads: Collection[NamespacedName]) -> Mapping[NamespacedName, Mapping[str, int]]:
        """Devices by phase. Blocks. Raises clickhouse_connect's errors."""
        return read_phases(self._client(), workloads)
