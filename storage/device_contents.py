"""The table of what each device said last, and how agents load it: their state, behind `device_status`."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from clickhouse_connect.driver import Client

from fleet.heartbeats.batch import DeviceKey
from fleet.heartbeats.device_index import digests
from fleet.heartbeats.device_memory import DeviceMemory, LastHeartbeats, Said
from fleet.heartbeats.packed_content import PackedContent
from fleet.heartbeats.rows import ContentRow
from storage.namespaced_names import portions
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
        "hardware_hashes": "Array(UInt64)",
    },
)
"""Rows: `fleet.heartbeats.rows.ContentRow`."""

_READ = """
    SELECT namespace, device_id, toUnixTimestamp64Milli(received_at), partition, sequence, content_hash, status,
        toUnixTimestamp64Milli(status_since), version, wanted_version, toUnixTimestamp64Milli(drifted_since),
        upgrade_commit_id, upgrade_status, upgrade_time, has_events, workload_names, workload_statuses,
        arrayMap(since -> toUnixTimestamp64Milli(since), workload_since),
        arrayMap(upload -> toUnixTimestamp64Milli(upload), workload_uploads), playbook_names, playbook_statuses,
        hardware_hashes
    FROM device_content_state FINAL
    PREWHERE (namespace, device_id) IN {names}
"""

# A device's partition follows from its name (streams.heartbeats.records.partition_of), also after a new epoch with
# another number of partitions, when the stored one no longer says who gets its heartbeats.
_MINE = "CRC32(concat(namespace, '/', device_id)) % {partitions:UInt32} IN {mine:Array(UInt32)}"

_LOAD_SEEN = f"""
    SELECT concat(namespace, '/', device_id), sequence, toUnixTimestamp64Milli(received_at)
    FROM device_seen_state FINAL WHERE {_MINE}
"""  # noqa: S608 - put together from literals

_LOAD_HARDWARE = f"""
    SELECT concat(namespace, '/', device_id), sequence FROM device_hardware_state FINAL WHERE {_MINE}
"""  # noqa: S608 - put together from literals

# The two parts as fleet.heartbeats.packed_content has them, each behind the first byte of an array of its length. Not
# by formatRowNoNewline: it cuts a last byte off that happens to be a line's end, such as that of the number 10.
_LOAD_CONTENTS = f"""
    SELECT concat(namespace, '/', device_id), sequence, toUnixTimestamp64Milli(received_at), content_hash,
        hardware_hashes[1], hardware_hashes[2], status, version, wanted_version, has_events,
        concat(char(0x96), formatRow('MsgPack', upgrade_commit_id, upgrade_status, workload_names,
            workload_statuses, playbook_names, playbook_statuses)) AS shape,
        concat(char(0x95), formatRow('MsgPack', toUnixTimestamp64Milli(status_since) AS since_ms,
            toUnixTimestamp64Milli(drifted_since), upgrade_time,
            arrayMap(time -> toUnixTimestamp64Milli(time) - since_ms, workload_since),
            arrayMap(time -> toUnixTimestamp64Milli(time) - since_ms, workload_uploads))) AS own
    FROM device_content_state FINAL WHERE {_MINE}
"""  # noqa: S608 - put together from literals


def read_contents(client: Client, devices: Collection[DeviceKey]) -> dict[DeviceKey, ContentRow]:
    """What those devices said last, of those that ever beat. Blocks. Raises clickhouse_connect's errors."""
    return {
        (row[0], row[1]): ContentRow(*row[:15], *map(list, row[15:]))
        for rows in portions(client, _READ, devices)
        for row in rows
    }


def load_devices(client: Client, memory: DeviceMemory, mine: Collection[int], partitions: int) -> None:
    """Have the memory hold what the devices of some of the partitions said last. Blocks.

    When each was seen is read before what it said, which is written before: so a worker that still writes cannot make
    a device look as if it had said the older thing in its newer heartbeat. Raises clickhouse_connect's errors.
    """
    parameters: dict[str, Any] = {"mine": sorted(mine), "partitions": partitions}
    seen = [
        (digests(names), np.array(sequences, np.uint64), np.array(received_at_ms, np.int64))
        for names, sequences, received_at_ms in _columns(client, _LOAD_SEEN, parameters)
    ]
    for names, sequences, received_at_ms, hashes, first, second, *columns in _columns(
        client, _LOAD_CONTENTS, parameters
    ):
        *said, shapes, owns = columns
        last = LastHeartbeats(
            np.array(sequences, np.uint64),
            np.array(received_at_ms, np.int64),
            np.array(hashes, np.uint64),
            np.zeros(len(names), np.int32),
        )
        packed = list(map(PackedContent, shapes, owns))
        hardware_hashes = np.array([first, second], np.uint64).T
        memory.load(digests(names), last, list(map(Said._make, zip(*said, strict=True))), packed, hardware_hashes)
    # What a description that came later, with a registration, left is not in the content.
    for names, sequences in _columns(client, _LOAD_HARDWARE, parameters):
        memory.forget_hardware_before(digests(names), np.array(sequences, np.uint64))
    for names, sequences, received_at_ms in seen:
        numbers = memory.find(names)
        at = np.flatnonzero(numbers >= 0)
        at = at[memory.last(numbers[at]).sequences < sequences[at]]
        memory.see(numbers[at], sequences[at], received_at_ms[at])


def _columns(client: Client, query: str, parameters: dict[str, Any]) -> Iterator[Sequence[Any]]:
    as_bytes = {"shape": "bytes", "own": "bytes"}
    with client.query_column_block_stream(query, parameters=parameters, column_formats=as_bytes) as blocks:
        yield from blocks
