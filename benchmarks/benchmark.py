"""What a benchmark is to the command that runs it."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from benchmarks.report.result import Check, Figure, Plot
from benchmarks.scale import Workplace

Say = Callable[[str], None]
"""Tells a person how it goes on, in a line."""


class Findings(NamedTuple):
    """A result without where and when; see `benchmarks.report.result.Result`."""

    settings: dict[str, str]
    checks: tuple[Check, ...]
    figures: tuple[Figure, ...]
    plots: tuple[Plot, ...] = ()
    notes: tuple[str, ...] = ()


class Benchmark(Protocol):
    """A module `benchmarks.NAME`."""

    QUESTION: str

    def measure(self, workplace: Workplace, say: Say) -> Findings:
        """Run it. Raises BenchmarkError when it cannot."""
