"""One heartbeat worker drains a backlog: its rate, and the processor time of a heartbeat by process."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import psutil
from clickhouse_connect.driver import Client

from benchmarks.errors import BenchmarkError
from benchmarks.measuring.merges import wait_for_merges
from benchmarks.measuring.processor_time import Usage, usage
from benchmarks.measuring.scraped_metrics import scrape
from benchmarks.parts.sink_stores import SinkStores

_LOOK_EVERY_S: Final = 0.1
_WITHIN_S: Final = 400.0
_MERGED_WITHIN_S: Final = 60.0
_WRITTEN: Final = "muster_heartbeats_consumed_total"
_ROWS: Final = "muster_inserted_rows_total"


class _Look(NamedTuple):
    at_s: float
    written: int
    rows: int
    usage: Usage


class Drained(NamedTuple):
    """From the first batch that was written to the last; `load_s` is what came before: start, devices, first batch.

    Microseconds are of processor time for each heartbeat, `merging_us` the engine's after the last batch.
    """

    heartbeats: int
    load_s: float
    rate: float
    rows_rate: float
    """Rows a second, of all tables."""
    processor_us: dict[str, float]
    merging_us: float
    peak_bytes: dict[str, int]


def drain(stores: SinkStores, total: int, log: Path) -> Drained:
    """Run a worker until `total` heartbeats are written, then wait for the engine's merges.

    Raises BenchmarkError when it does not get there.
    """
    began_s = time.monotonic()
    with _worker(stores, log) as worker:
        processes = {
            "worker": [psutil.Process(worker.pid)],
            "engine": [psutil.Process(stores.engine_pid)],
            "broker": [psutil.Process(stores.broker_pid)],
        }
        looks = list(_looks(stores, processes, total, worker))
        merging_s = _merged(stores.client, processes["engine"], looks[-1].usage)
    first, last = next(look for look in looks if look.written), looks[-1]
    heartbeats = last.written - first.written
    if not heartbeats:
        raise BenchmarkError("the backlog was written in one batch: take a longer one")
    return Drained(
        heartbeats,
        first.at_s - began_s,
        heartbeats / (last.at_s - first.at_s),
        (last.rows - first.rows) / (last.at_s - first.at_s),
        {
            stage: (last.usage.processor_s[stage] - first.usage.processor_s[stage]) / heartbeats * 1e6
            for stage in processes
        },
        merging_s / total * 1e6,
        {stage: max(look.usage.resident_bytes[stage] for look in looks) for stage in processes},
    )


def _looks(
    stores: SinkStores,
    processes: dict[str, list[psutil.Process]],
    total: int,
    worker: "subprocess.Popen[bytes]",
) -> Iterator[_Look]:
    address = f"http://127.0.0.1:{stores.settings.streams.heartbeats_metrics_port}"
    deadline_s, written = time.monotonic() + _WITHIN_S, 0
    while written < total:
        time.sleep(_LOOK_EVERY_S)
        if worker.poll() is not None or time.monotonic() > deadline_s:
            raise BenchmarkError(f"the worker wrote {written:,} of {total:,} heartbeats")
        try:
            told = scrape(address)
        except OSError:
            continue
        written = int(told.value(_WRITTEN))
        yield _Look(time.monotonic(), written, int(told.value(_ROWS)), usage(processes))


def _merged(client: Client, engine: list[psutil.Process], before: Usage) -> float:
    """Wait until nothing is merged any more; the engine's processor seconds since."""
    wait_for_merges(client, _MERGED_WITHIN_S)
    return usage({"engine": engine}).processor_s["engine"] - before.processor_s["engine"]


@contextmanager
def _worker(stores: SinkStores, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "streams", "heartbeats"],
            env={**inherited, **stores.environ},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait(10)
