"""How large and how long a benchmark runs."""

from pathlib import Path
from typing import Final

import msgspec

from benchmarks.report.files import RESULTS


class Scale(msgspec.Struct, frozen=True):
    """Parameters of every benchmark; each uses those it needs.

    `seconds` is the length of a measured load, `repeats` how often it is measured. `api_processes` share a port. `rate`
    is one of heartbeats a second to hold, 0 for the highest that is found.
    """

    devices: int
    seconds: float
    repeats: int
    connections: int
    api_processes: int
    seed: int
    rate: float = 0.0

    def at_most(self, seconds: float) -> float:
        """The length of a load that need not be longer than so many seconds."""
        return min(self.seconds, seconds)


FULL: Final = Scale(devices=1_000_000, seconds=300, repeats=3, connections=1024, api_processes=1, seed=1)
STANDARD: Final = Scale(devices=100_000, seconds=30, repeats=3, connections=256, api_processes=1, seed=1)
QUICK: Final = Scale(devices=500, seconds=2, repeats=1, connections=16, api_processes=1, seed=1)


class Workplace(msgspec.Struct, frozen=True):
    """Where a benchmark may write what it throws away; `seeds` keeps stored fleets, `results` has earlier results.

    `settings` are `MUSTER_*` variables without the prefix, for every installation of the benchmark.
    """

    folder: Path
    scale: Scale
    is_quick: bool
    seeds: Path | None = None
    results: Path = RESULTS
    settings: dict[str, str] = {}
