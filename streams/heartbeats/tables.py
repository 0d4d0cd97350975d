"""The heartbeat agent's tables in ClickHouse: what it looks up, and the order in which it writes."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from clickhouse_connect.driver import Client

from fleet.heartbeats.batch import Lookups, Stored
from fleet.heartbeats.device_memory import DeviceMemory
from fleet.heartbeats.fold import Folded
from storage.device_contents import CONTENTS, load_devices, read_contents
from storage.device_events import DEVICE_EVENTS
from storage.hardware import HARDWARE, read_hardware
from storage.heartbeats import HEARTBEATS, SEEN, identity, insert_heartbeats, insert_seen
from storage.registered_devices import read_registered
from storage.table import Table, insert_rows
from storage.transitions import DEVICE_TRANSITIONS, WORKLOAD_TRANSITIONS
from storage.workload_status import WORKLOADS
from streams.metrics import WorkerMetrics

WRITTEN = (
    HEARTBEATS,
    DEVICE_TRANSITIONS,
    WORKLOAD_TRANSITIONS,
    DEVICE_EVENTS,
    HARDWARE,
    WORKLOADS,
    CONTENTS,
    SEEN,
)
"""The tables in the order in which they are written, the first one beside those that follow up to the last two."""


class HeartbeatTables:
    """Blocking calls, for use in a thread; all may be repeated, and all raise clickhouse_connect's errors.

    `reached` is told the name of each table as a batch has got past it.
    """

    def __init__(self, client: Client, metrics: WorkerMetrics, reached: Callable[[str], None] = lambda _: None) -> None:
        self._client = client
        self._metrics = metrics
        self._reached = reached

    def load(self, memory: DeviceMemory, mine: Collection[int], partitions: int) -> None:
        """Have the memory hold what every device of some partitions said last."""
        load_devices(self._client, memory, mine, partitions)

    def look_up(self, wanted: Lookups) -> Stored:
        """What is stored of the devices of a batch."""
        return Stored(
            frozenset(read_registered(self._client, wanted.registered)),
            read_contents(self._client, wanted.contents),
            read_hardware(self._client, wanted.hardware),
        )

    def write(self, folded: Folded) -> None:
        """Write a batch so that a crash between any two tables does no harm.

        What counts as done is told by `device_content_state` and `device_seen_state`: a heartbeat at or below its
        device's position there is not folded again. So all that follows from it is written before them, the heartbeats
        themselves beside the rest. Ends when nothing is under way any more, whatever it raises.
        """
        unchanged = folded.unchanged
        identities = identity(unchanged)
        steps: list[tuple[Table, Sequence[tuple[Any, ...]]]] = [
            (DEVICE_TRANSITIONS, folded.device_transitions),
            (WORKLOAD_TRANSITIONS, folded.workload_transitions),
            (DEVICE_EVENTS, folded.events),
            (HARDWARE, folded.hardware),
            (WORKLOADS, folded.workloads),
        ]
        with ThreadPoolExecutor(1) as beside:
            heartbeats = beside.submit(
                self._insert,
                HEARTBEATS,
                len(unchanged) + len(folded.heartbeats),
                lambda: insert_heartbeats(self._client, unchanged, identities, folded.heartbeats),
            )
            for table, rows in steps:
                self._insert_rows(table, rows)
        heartbeats.result()
        self._insert_rows(CONTENTS, folded.contents)
        self._insert(
            SEEN, len(unchanged) + len(folded.seen), lambda: insert_seen(self._client, identities, folded.seen)
        )

    def _insert_rows(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        self._insert(table, len(rows), partial(insert_rows, self._client, table, rows))

    def _insert(self, table: Table, rows: int, insert: Callable[[], None]) -> None:
        if rows:
            with self._metrics.insert_s.labels(table.name).time():
                insert()
            self._metrics.inserted.labels(table.name).inc(rows)
        self._reached(table.name)
