"""What a heartbeat costs in fleets of very different sizes: processor time, memory, disk, and the time of queries."""

import re
import statistics
import time
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from benchmarks.benchmark import Findings, Say
from benchmarks.heartbeat_findings import answered, ledger_checks
from benchmarks.heartbeat_run import Beats, Run
from benchmarks.ledger import HEARTBEATS_TABLE
from benchmarks.measuring.merges import wait_for_merges
from benchmarks.measuring.processor_time import MIB, usage
from benchmarks.parts.beating_fleet import MERGED_WITHIN_S, beaten_fleet
from benchmarks.parts.installation import GENERATOR, STAGES, Installation
from benchmarks.report.result import Check, Figure, Line, Plot
from benchmarks.scale import Scale, Workplace

QUESTION: Final = "what does a heartbeat cost, and a device, with a thousand to a million devices?"

_SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
_TRICKLE_S: Final = 10.0
_TRICKLE_PER_S: Final = 100.0
_LONGEST_S: Final = 30.0
_QUERY_REPEATS: Final = 5
_DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "data.md"
_UNCHANGED: Final = "benchmark_unchanged_heartbeats"


class _Costs(NamedTuple):
    """One fleet. Disk in bytes, after merges; query times in seconds by the document's words for them."""

    devices: int
    ready_s: float
    first: list[Run]
    beaten: int
    """Devices that had beaten before."""
    runs: list[Run]
    trickle: Run
    """Few heartbeats a second: what it costs that any come at all, in batches that are hardly ever full."""
    resident_mib: dict[str, float]
    unchanged_bytes: float
    any_bytes: float
    device_bytes: float
    decision_bytes: float
    queries_s: dict[str, float]


def measure(workplace: Workplace, say: Say) -> Findings:
    """The same load on fleets of each size up to the scale's."""
    sizes = [size for size in _SIZES if size <= workplace.scale.devices] or [workplace.scale.devices]
    settings: dict[str, str] = {}
    costs = []
    for size in sizes:
        scale = msgspec.structs.replace(workplace.scale, devices=size)
        with beaten_fleet(workplace, scale, say) as (installation, beats):
            settings = installation.chosen
            costs.append(_costs(installation, beats, scale))
            say(_told(costs[-1]))
    return Findings(
        settings,
        (
            *ledger_checks([run for each in costs for run in (*each.first, *each.runs, each.trickle)]),
            answered([run for each in costs for run in (*each.runs, each.trickle)]),
            _all_beat(costs),
        ),
        tuple(figure for each in costs for figure in _figures(each)),
        (_processor_plot(costs), _memory_plot(costs), _query_plot(costs)),
        (
            "Heartbeats in a closed loop, after two of every device. Disk after all merges (OPTIMIZE … FINAL).",
            f"Bytes of an unchanged heartbeat: those not `is_changed` copied into a table like `{HEARTBEATS_TABLE}`.",
            "Queries are those of docs/data.md, as the database's owner, median of five.",
        ),
    )


def _costs(installation: Installation, beats: Beats, scale: Scale) -> _Costs:
    beaten = int(str(installation.query("SELECT count() FROM device_status")[0][0]))
    runs = [beats.run(scale.at_most(_LONGEST_S), keeps_positions=False) for _ in range(scale.repeats)]
    wait_for_merges(installation.client, MERGED_WITHIN_S)
    trickle = beats.run(scale.at_most(_TRICKLE_S), rate=_TRICKLE_PER_S)
    resident = usage(installation.processes()).resident_bytes
    queries = {name: _time_s(installation, query) for name, query in documented_queries().items()}
    installation.client.command(f"CREATE TABLE {_UNCHANGED} AS {HEARTBEATS_TABLE}")
    installation.client.command(
        f"INSERT INTO {_UNCHANGED} SELECT * FROM {HEARTBEATS_TABLE} WHERE NOT is_changed"  # noqa: S608 - constants
    )
    sizes = _merged_sizes(installation)
    unchanged_rows = sizes.get(_UNCHANGED, (0, 0.0))
    any_rows = sizes.get(HEARTBEATS_TABLE, (0, 0.0))
    of_devices = sum(size for name, (_, size) in sizes.items() if name.endswith("_state") and "minutes" not in name)
    return _Costs(
        scale.devices,
        installation.ready_after_s,
        beats.first,
        beaten,
        runs,
        trickle,
        {stage: size / MIB for stage, size in resident.items()},
        unchanged_rows[1] / max(1, unchanged_rows[0]),
        any_rows[1] / max(1, any_rows[0]),
        of_devices / scale.devices,
        sizes.get("decisions", (0, 0.0))[1] / scale.devices,
        queries,
    )


def documented_queries() -> dict[str, str]:
    """Each query that docs/data.md shows, by the words before it."""
    found = re.findall(r"([^\n]*)\n\n```sql\n(.*?)```", _DOCUMENT.read_text(), re.DOTALL)
    return {words.rstrip(":").rpartition(". ")[2]: query for words, query in found}


def _time_s(installation: Installation, query: str) -> float:
    times = []
    for _ in range(_QUERY_REPEATS):
        began_s = time.monotonic()
        installation.query(query)
        times.append(time.monotonic() - began_s)
    return statistics.median(times)


def _merged_sizes(installation: Installation) -> dict[str, tuple[int, float]]:
    """Rows and bytes on disk of every table, with all its parts merged."""
    tables = installation.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    )
    for (table,) in tables:
        installation.client.command(f"OPTIMIZE TABLE {table} FINAL")
    rows = installation.query(
        "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts"
        " WHERE database = currentDatabase() AND active GROUP BY table"
    )
    return {str(table): (int(str(count)), float(str(size))) for table, count, size in rows}


def _figures(costs: _Costs) -> list[Figure]:
    of = f"{costs.devices:,} devices"
    stages = [*STAGES, GENERATOR]
    total = tuple(sum(run.per_heartbeat_us(stage) for stage in stages) for run in costs.runs)
    return [
        Figure(f"{of}: all parts ready after", "s", (costs.ready_s,)),
        Figure(f"{of}: accepted", "heartbeats/s", tuple(run.outcome.accepted_per_s for run in costs.runs)),
        Figure(f"{of}: until stored", "heartbeats/s", tuple(run.stored_per_s for run in costs.runs)),
        *(
            Figure(f"{of}: first heartbeats, until stored", "heartbeats/s", (run.stored_per_s,))
            for run in costs.first[:1]
        ),
        *(
            Figure(f"{of}: {stage}", "µs/heartbeat", tuple(run.per_heartbeat_us(stage) for run in costs.runs))
            for stage in stages
        ),
        Figure(f"{of}: all", "µs/heartbeat", total),
        *(
            Figure(f"{of}: {stage}, {_TRICKLE_PER_S:.0f} heartbeats/s", "cores", (costs.trickle.cores(stage),))
            for stage in stages
        ),
        *(Figure(f"{of}: memory, {stage}", "MiB", (costs.resident_mib.get(stage, 0.0),)) for stage in STAGES),
        Figure(f"{of}: disk, an unchanged heartbeat", "bytes", (costs.unchanged_bytes,), "12"),
        Figure(f"{of}: disk, any heartbeat", "bytes", (costs.any_bytes,)),
        Figure(f"{of}: disk, a device's state", "bytes", (costs.device_bytes,)),
        Figure(f"{of}: disk, a device's decisions", "bytes", (costs.decision_bytes,)),
        *(Figure(f"{of}: query “{name}”", "ms", (took_s * 1000,)) for name, took_s in costs.queries_s.items()),
    ]


def _all_beat(costs: list[_Costs]) -> Check:
    told = "; ".join(f"{each.beaten:,} of {each.devices:,}" for each in costs)
    return Check("every device has beaten before", all(each.beaten >= each.devices for each in costs), told)


def _told(costs: _Costs) -> str:
    stages = ", ".join(f"{stage} {costs.runs[-1].per_heartbeat_us(stage):.0f}" for stage in (*STAGES, GENERATOR))
    return f"{costs.devices:,} devices: {costs.runs[-1].stored_per_s:,.0f}/s until stored; µs: {stages}"


def _processor_plot(costs: list[_Costs]) -> Plot:
    xs = tuple(float(each.devices) for each in costs)
    lines = tuple(
        Line(stage, xs, tuple(each.runs[-1].per_heartbeat_us(stage) for each in costs))
        for stage in (*STAGES, GENERATOR)
    )
    return Plot("processor", "Processor time of a heartbeat", "devices", "µs", lines, is_logarithmic=True)


def _memory_plot(costs: list[_Costs]) -> Plot:
    xs = tuple(float(each.devices) for each in costs)
    lines = tuple(Line(stage, xs, tuple(each.resident_mib.get(stage, 0.0) for each in costs)) for stage in STAGES)
    return Plot("memory", "Resident memory", "devices", "MiB", lines, is_logarithmic=True)


def _query_plot(costs: list[_Costs]) -> Plot:
    xs = tuple(float(each.devices) for each in costs)
    lines = tuple(Line(name, xs, tuple(each.queries_s[name] * 1000 for each in costs)) for name in costs[-1].queries_s)
    return Plot("queries", "Queries of docs/data.md", "devices", "ms", lines, is_logarithmic=True)
