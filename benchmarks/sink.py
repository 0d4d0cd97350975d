"""How fast one worker brings a backlog of heartbeats from Kafka into ClickHouse, beside the engine loading a file."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.benchmark import Findings, Say
from benchmarks.errors import BenchmarkError
from benchmarks.load.heartbeat_backlog import Backlog
from benchmarks.measuring.drain import Drained, drain
from benchmarks.parts.sink_stores import SinkStores, fill_topic, remember_fleet, sink_stores
from benchmarks.report.result import Check, Figure
from benchmarks.scale import Workplace
from storage.heartbeats import HEARTBEATS
from storage.table import Table
from streams.heartbeats.tables import WRITTEN

QUESTION: Final = "how fast does one worker drain heartbeats into ClickHouse, and how near is that to the engine alone?"

RECORD_HEARTBEATS: Final = 40
"""At 20,000 a second, one API process and 12 partitions a record holds what 25 ms bring."""

_RATE: Final = 16_667
"""A million devices at one heartbeat a minute: a backlog is as many seconds of it as the scale says, …"""

_LONGEST_S: Final = 60.0
"""… up to these: a million heartbeats are a gigabyte of records."""

_LEAST: Final = 150_000
"""Heartbeats of a few batches: a rate needs two."""

_PEER_FORMATS: Final = ("Native", "JSONEachRow")
_PEER_WITHIN_S: Final = 300.0

_DRAINED: Final = "WHERE sequence > 1"
"""Rows of the backlog: what the fleet had said before stands at the first position of all."""

Loaded = dict[str, dict[str, float]]
"""By table: `seconds`, `processor_s` and `rows`."""

_QUERIES: Final = {
    "device_status of one device": "SELECT * FROM device_status WHERE device_id = '{device}'",
    "device_status by status": "SELECT status, count() FROM device_status GROUP BY status",
    "devices silent for 5 minutes": "SELECT count() FROM device_status WHERE last_seen < now() - INTERVAL 5 MINUTE",
    "fleet_minutes of an hour": "SELECT * FROM fleet_minutes WHERE minute >= now() - INTERVAL 1 HOUR",
    "heartbeats of one device": "SELECT * FROM heartbeats WHERE device_id = '{device}' ORDER BY received_at",
}


class _Run(NamedTuple):
    """What one backlog showed."""

    records: int
    checks: tuple[Check, ...]
    figures: tuple[Figure, ...]


def measure(workplace: Workplace, say: Say) -> Findings:
    """Drain, check, then load the same rows with the engine alone; again and again, each time from nothing."""
    scale = workplace.scale
    count = max(_LEAST, int(min(scale.seconds, _LONGEST_S) * _RATE))
    say(f"{scale.devices:,} devices, {count:,} heartbeats")
    runs = []
    for number in range(scale.repeats):
        folder = workplace.folder / f"sink-{number}"
        runs.append(_run(folder, Backlog(scale.devices, scale.seed), count, say))
        shutil.rmtree(folder)
    return Findings(
        {"heartbeats": f"{count:,}", "records": f"{runs[0].records:,}"},
        tuple(_of_all(each) for each in zip(*(run.checks for run in runs), strict=True)),
        tuple(_over_all(each) for each in zip(*(run.figures for run in runs), strict=True)),
        (),
        (
            (
                "Processor time from the first batch written to the last. One in eighteen heartbeats says something"
                " new, one in a hundred describes all of its hardware for the first time."
            ),
            (
                "The engine alone loads the rows that the worker wrote, each table from a file of its own and one after"
                " the other, views included; of a key that was written several times the last row."
            ),
        ),
    )


def _run(folder: Path, backlog: Backlog, count: int, say: Say) -> _Run:
    with sink_stores(folder) as stores:
        remember_fleet(stores, backlog)
        records = asyncio.run(fill_topic(stores.settings, backlog, count, RECORD_HEARTBEATS))
        drained = drain(stores, count, folder / "worker.log")
        say(f"{drained.rate:,.0f} heartbeats/s, µs each: {_told(drained.processor_us)}")
        checks = _checks(stores, backlog.devices, count)
        sizes = _sizes(stores)
        times_ms = _query_times(stores)
        rows = {table.name: _rows_of(stores, table) for table in WRITTEN}
        for name in _PEER_FORMATS:
            for table in WRITTEN:
                _export(stores, folder, table, name)
    peers = {name: _load(folder, name, [table for table, stored in rows.items() if stored]) for name in _PEER_FORMATS}
    for name, peer in peers.items():
        loaded = {table: int(each["rows"]) for table, each in peer.items()}
        is_same = loaded == {table: stored for table, stored in rows.items() if stored}
        checks.append(Check(f"the engine loaded the same rows, {name}", is_same, f"{sum(loaded.values()):,}"))
        rate = _rows_rate(peer)
        say(f"engine alone, {name}: {rate:,.0f} rows/s of all tables, the worker {drained.rows_rate / rate:.3f} of it")
    return _Run(records, tuple(checks), (*_figures(drained), *sizes, *_peer_figures(drained, peers), *times_ms))


def _of_all(runs: Sequence[Check]) -> Check:
    """The same check of all runs."""
    details = dict.fromkeys(run.detail for run in runs)
    return Check(runs[0].what, all(run.is_good for run in runs), "; ".join(details))


def _over_all(runs: Sequence[Figure]) -> Figure:
    """The same figure of all runs."""
    values = tuple(value for run in runs for value in run.values)
    return Figure(runs[0].name, runs[0].unit, values, runs[0].target)


def _told(by_stage: dict[str, float]) -> str:
    return ", ".join(f"{stage} {value:.1f}" for stage, value in by_stage.items())


def _checks(stores: SinkStores, devices: int, count: int) -> list[Check]:
    rows = "SELECT count(), uniqExact(epoch, partition, offset, batch_index), uniqExact(device_id) FROM heartbeats"
    ((stored, places, beating),) = stores.client.query(rows).result_rows
    ((known,),) = stores.client.query("SELECT count() FROM device_status").result_rows
    return [
        Check("every heartbeat is stored", stored == count, f"{stored:,} of {count:,}"),
        Check("none twice", places == stored, f"{places:,} positions"),
        Check("of the devices that beat", beating == min(devices, count), f"{beating:,}"),
        Check("every device has a status", known == devices, f"{known:,}"),
    ]


def _figures(drained: Drained) -> tuple[Figure, ...]:
    us = drained.processor_us
    return (
        Figure("rate", "heartbeats/s", (drained.rate,), "at least 30,000"),
        Figure("worker and engine", "µs/heartbeat", (us["worker"] + us["engine"],), "at most 30"),
        *(Figure(stage, "µs/heartbeat", (value,)) for stage, value in us.items()),
        Figure("merges after the last batch", "µs/heartbeat", (drained.merging_us,)),
        Figure("start, devices loaded, first batch", "s", (drained.load_s,)),
        Figure("worker's peak memory", "MB", (drained.peak_bytes["worker"] / 1e6,)),
        Figure("engine's peak memory", "MB", (drained.peak_bytes["engine"] / 1e6,)),
    )


def _sizes(stores: SinkStores) -> tuple[Figure, ...]:
    narrow = "column != 'body'"
    before = _bytes_a_row(stores, narrow)
    stores.client.command(f"OPTIMIZE TABLE {HEARTBEATS.name} FINAL")
    return (
        Figure("a heartbeat without body, before merges", "bytes", (before,)),
        Figure("a heartbeat without body, merged", "bytes", (_bytes_a_row(stores, narrow),), "at most 12 for a day"),
        Figure("bodies, by heartbeat", "bytes", (_bytes_a_row(stores, "column = 'body'"),)),
    )


def _bytes_a_row(stores: SinkStores, columns: str) -> float:
    query = f"""
        SELECT sumIf(column_data_compressed_bytes, {columns}) / sumIf(rows, column = 'device_id')
        FROM system.parts_columns
        WHERE active AND database = currentDatabase() AND table = '{HEARTBEATS.name}'
    """  # noqa: S608 - our own names
    return float(stores.client.query(query).result_rows[0][0])


def _query_times(stores: SinkStores) -> tuple[Figure, ...]:
    ((device,),) = stores.client.query("SELECT device_id FROM device_status LIMIT 1").result_rows
    figures = []
    for name, query in _QUERIES.items():
        times_ms = []
        for _ in range(3):
            began_s = time.monotonic()
            stores.client.query(query.replace("{device}", device))
            times_ms.append((time.monotonic() - began_s) * 1000)
        figures.append(Figure(name, "ms", tuple(times_ms)))
    return tuple(figures)


def _rows_of(stores: SinkStores, table: Table) -> int:
    ((rows,),) = stores.client.query(f"SELECT count() FROM {table.name} FINAL {_DRAINED}").result_rows  # noqa: S608 - ours
    return int(rows)


def _export(stores: SinkStores, folder: Path, table: Table, output_format: str) -> None:
    """A table's rows as a file, in the order in which the worker wrote them as far as that can be told."""
    columns = ", ".join(table.columns)
    query = f"SELECT {columns} FROM {table.name} FINAL {_DRAINED} ORDER BY sequence"  # noqa: S608 - our own names
    with (
        stores.client.raw_stream(query, fmt=output_format) as stream,
        (folder / f"{table.name}.{output_format}").open("wb") as output,
    ):
        for piece in stream:
            output.write(piece)


def _load(folder: Path, input_format: str, tables: list[str]) -> Loaded:
    command = [sys.executable, "-m", "benchmarks.peers.engine_load", str(folder), input_format, *tables]
    told = subprocess.run(command, capture_output=True, text=True, timeout=_PEER_WITHIN_S, check=False)
    if told.returncode:
        raise BenchmarkError(f"the engine did not load the rows: {told.stderr[-1000:]}")
    found: Loaded = json.loads(told.stdout)
    return found


def _rows_rate(peer: Loaded) -> float:
    return sum(each["rows"] for each in peer.values()) / sum(each["seconds"] for each in peer.values())


def _peer_figures(drained: Drained, peers: dict[str, Loaded]) -> list[Figure]:
    figures = [Figure("rows of all tables, worker", "rows/s", (drained.rows_rate,))]
    for name, peer in peers.items():
        rate = _rows_rate(peer)
        narrow = peer[HEARTBEATS.name]
        rows = sum(each["rows"] for each in peer.values())
        processor_s = sum(each["processor_s"] for each in peer.values())
        target = "at least 0.5" if name == "JSONEachRow" else ""
        figures += [
            Figure(f"engine alone, {name}, all tables", "rows/s", (rate,)),
            Figure(f"engine alone, {name}, all tables, processor time", "µs/row", (processor_s / rows * 1e6,)),
            Figure(f"worker's rows against the engine alone, {name}", "ratio", (drained.rows_rate / rate,), target),
            Figure(f"engine alone, {name}, only `heartbeats`", "rows/s", (narrow["rows"] / narrow["seconds"],)),
            Figure(
                f"worker's heartbeats against the engine loading only `heartbeats`, {name}",
                "ratio",
                (drained.rate * narrow["seconds"] / narrow["rows"],),
            ),
        ]
    return figures
