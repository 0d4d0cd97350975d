"""The tables of what each device said last and when it was seen last: the agents' state, behind `device_status`."""

from collections.abc import Collection, Iterator
from typing import Any

from clickhouse_connect.driver import Client

from fleet.heartbeats.batch import DeviceKey
from fleet.heartbeats.device_memory import KnownDevice, Said
from fleet.heartbeats.rows import ContentRow
from storage.device_keys import portions
from storage.table import PLACE, Table

CONTENTS = Table(
    "device_content_state",
    {
        "namespace": "LowCardinality(String)",
        "device_id": "String",
        **PLACE,
        "content_hash": "UInt64",
        "status": "LowCardinality(String)",
        "status_since": "DateTime64(3, 'UTC')",
        "version": "String",
        "wanted_version": "String",
        "drifted_since": "Nullable(DateTime64(3, 'UTC'))",
        "upgrade_commit_id": "String",
        "upgrade_status": "LowCardinality(String)",
        "upgrade_time": "String",
        "has_events": "Bool",
        "workload_names": "Array(String)",
        "workload_statuses": "Array(LowCardinality(String))",
        "workload_since": "Array(DateTime64(3, 'UTC'))",
        "workload_uploads": "Array(Nullable(DateTime64(3, 'UTC')))",
        "playbook_names": "Array(String)",
        "playbook_statuses": "Array(LowCardinality(String))",
    },
)
"""Rows: `fleet.heartbeats.rows.ContentRow`."""

SEEN = Table("device_seen_state", {"namespace": "LowCardinality(String)", "device_id": "String", **PLACE})
"""Rows: `fleet.heartbeats.rows.SeenRow`."""

_READ = """
    SELECT namespace, device_id, toUnixTimestamp64Milli(received_at), partition, sequence, content_hash, status,
        toUnixTimestamp64Milli(status_since), version, wanted_version, toUnixTimestamp64Milli(drifted_since),
        upgrade_commit_id, upgrade_status, upgrade_time, has_events, workload_names, workload_statuses,
        arrayMap(since -> toUnixTimestamp64Milli(since), workload_since),
        arrayMap(upload -> toUnixTimestamp64Milli(upload), workload_uploads), playbook_names, playbook_statuses
    FROM device_content_state FINAL
    WHERE (namespace, device_id) IN {devices}
"""

# A device's partition follows from its name (streams.heartbeats.records.partition_of), also after a new epoch with
# another number of partitions, when the stored one no longer says who gets its heartbeats.
_LOAD = """
    SELECT content.namespace, content.device_id,
        greatest(seen.sequence, content.sequence),
        toUnixTimestamp64Milli(if(seen.sequence > content.sequence, seen.received_at, content.received_at)),
        content.content_hash, content.status, content.version, content.wanted_version, content.has_events
    FROM (
        SELECT * FROM device_content_state FINAL
        WHERE CRC32(concat(namespace, '/', device_id)) % {partitions:UInt32} = {partition:UInt32}
    ) AS content
    LEFT JOIN (
        SELECT namespace, device_id, sequence, received_at FROM device_seen_state FINAL
        WHERE CRC32(concat(namespace, '/', device_id)) % {partitions:UInt32} = {partition:UInt32}
    ) AS seen ON seen.namespace = content.namespace AND seen.device_id = content.device_id
"""


def read_contents(client: Client, devices: Collection[DeviceKey]) -> dict[DeviceKey, ContentRow]:
    """What those devices said last, of those that ever beat. Blocks. Raises clickhouse_connect's errors."""
    return {
        (row[0], row[1]): ContentRow(*row[:15], *map(list, row[15:]))
        for rows in portions(client, _READ, devices)
        for row in rows
    }


def load_devices(client: Client, partition: int, partitions: int) -> Iterator[tuple[DeviceKey, KnownDevice]]:
    """The last heartbeat of every device of a partition, streamed. Blocks. Raises clickhouse_connect's errors."""
    parameters: dict[str, Any] = {"partition": partition, "partitions": partitions}
    with client.query_row_block_stream(_LOAD, parameters=parameters) as blocks:
        for block in blocks:
            for namespace, device_id, sequence, received_at_ms, content_hash, *said in block:
                yield (namespace, device_id), KnownDevice(sequence, received_at_ms, content_hash, Said(*said))
