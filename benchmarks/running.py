"""Runs one benchmark and notes where, when and with what it ran."""

import importlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from benchmarks.benchmark import Say
from benchmarks.measuring.machine import machine, versions
from benchmarks.report.result import Result
from benchmarks.scale import Workplace

if TYPE_CHECKING:
    from benchmarks.benchmark import Benchmark

NAMES: Final = (
    "heartbeats",
    "cost",
    "against_peers",
    "sink",
    "reads",
    "conversation",
    "boot_storm",
    "freshness",
    "overload",
    "handshakes",
    "imports",
    "device_memory",
    "changes",
    "capacity",
)
"""Every benchmark, in the order of their worth; each is the module of that name."""


def run_benchmark(name: str, workplace: Workplace, say: Say) -> Result:
    """Run one of `NAMES`. Raises BenchmarkError when it cannot run; what is wrong with its results is in its checks."""
    benchmark = cast("Benchmark", importlib.import_module(f"benchmarks.{name}"))
    say(f"{name}: {benchmark.QUESTION}")
    began_at, began_s, where = datetime.now(UTC), time.monotonic(), machine()
    findings = benchmark.measure(workplace, say)
    scale = workplace.scale
    return Result(
        name=name,
        question=benchmark.QUESTION,
        began_at=began_at,
        took_s=time.monotonic() - began_s,
        machine=where,
        versions=versions(),
        seed=scale.seed,
        scale={field: getattr(scale, field) for field in scale.__struct_fields__ if field != "seed"},
        **findings._asdict(),
    )
