"""A broker and an engine without API and workers, with a fleet that has beaten before and a backlog to drain."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import platformdirs
from clickhouse_connect.driver import Client

from benchmarks.load.heartbeat_backlog import Backlog
from cli.service.setup import set_up
from fleet.heartbeats.rows import SeenRow
from local.clickhouse.process import ClickHouseEndpoint
from local.free_ports import free_ports
from local.kafka.broker import KafkaBroker
from settings import Settings, load
from settings.keys import make_keys, read_password
from storage.client import connect
from storage.device_contents import CONTENTS
from storage.heartbeats import SEEN
from storage.table import insert_rows
from streams.heartbeats.records import encode_heartbeats, partition_of
from streams.kafka_producer import KafkaProducer

if TYPE_CHECKING:
    from fleet.heartbeats.entries import HeartbeatEntry

_SEEDED_AT_ONCE: Final = 50_000
_IN_FLIGHT_RECORDS: Final = 24


class SinkStores(NamedTuple):
    """What runs, how a worker of it is started, and the process ids of the stores."""

    settings: Settings
    environ: Mapping[str, str]
    client: Client
    broker_pid: int
    engine_pid: int


@contextmanager
def sink_stores(folder: Path) -> Iterator[SinkStores]:
    """Started and set up; stopped at the end."""
    (kafka_port,) = free_ports(1, consecutive=2)
    clickhouse_port, metrics_port = free_ports(2)
    keys = folder / "keys"
    make_keys(keys)
    with ExitStack() as stack:
        cache = Path(platformdirs.user_cache_dir("muster"))
        broker = stack.enter_context(KafkaBroker(folder / "kafka", cache, kafka_port))
        endpoint = stack.enter_context(ClickHouseEndpoint(folder / "data", keys, clickhouse_port))
        environ = {
            "MUSTER_DATA": str(folder / "data"),
            "MUSTER_KEYS_FOLDER": str(keys),
            "MUSTER_KAFKA": broker.bootstrap,
            "MUSTER_CLICKHOUSE": endpoint.address,
            "MUSTER_STREAMS_HEARTBEATS_METRICS_PORT": str(metrics_port),
        }
        settings = load(environ)
        set_up(settings, datetime.now(UTC))
        client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
        stack.callback(client.close)
        yield SinkStores(settings, environ, client, broker.pid, endpoint.pid)


def remember_fleet(stores: SinkStores, backlog: Backlog) -> None:
    """Store what every device said last, as a worker that had seen their heartbeats would have."""
    rows = backlog.last_contents(stores.settings.heartbeats.partitions, int(time.time() * 1000) - 60_000)
    while portion := list(islice(rows, _SEEDED_AT_ONCE)):
        insert_rows(stores.client, CONTENTS, portion)
        insert_rows(stores.client, SEEN, [SeenRow(*row[:5]) for row in portion])


async def fill_topic(settings: Settings, backlog: Backlog, count: int, record_heartbeats: int) -> int:
    """Produce heartbeats as API processes do, so many to a record; the number of records."""
    producer = KafkaProducer(settings.kafka.bootstrap, settings.kafka.record_limit_bytes, client_id="benchmark")
    producer.start()
    while not producer.is_up:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.05)
    partitions = settings.heartbeats.partitions
    batches: list[list[HeartbeatEntry]] = [[] for _ in range(partitions)]
    room = asyncio.Semaphore(_IN_FLIGHT_RECORDS)
    sent = 0

    async def send(partition: int, value: bytes) -> None:
        try:
            await producer.send(f"{settings.kafka.topic_prefix}.heartbeats", partition, value)
        finally:
            room.release()

    async with asyncio.TaskGroup() as sendings:
        for number, entry in enumerate(backlog.entries(count), start=1):
            partition = partition_of(entry.namespace, entry.device_id, partitions)
            batches[partition].append(entry)
            full = [partition] if len(batches[partition]) == record_heartbeats else []
            for each in range(partitions) if number == count else full:
                if batches[each]:
                    await room.acquire()
                    sendings.create_task(send(each, encode_heartbeats(batches[each])))
                    batches[each] = []
                    sent += 1
    await producer.stop(within_s=5)
    return sent
