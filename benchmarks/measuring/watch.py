"""Looks at an installation once a second while a load runs: memory, how far storing is behind, the machine's speed."""

import threading
import time
from statistics import linear_regression, median
from types import TracebackType
from typing import Final, NamedTuple, Self

from benchmarks.ledger import HEARTBEATS_TABLE, stored_rows
from benchmarks.measuring.machine_speed import fixed_computation_ms, random_read_ns
from benchmarks.measuring.processor_time import MIB, usage
from benchmarks.parts.installation import Installation

EVERY_S: Final = 1.0
_AGE: Final = f"""
    SELECT (toUnixTimestamp64Milli(now64(3)) - toUnixTimestamp64Milli(max(received_at))) / 1000
    FROM {HEARTBEATS_TABLE}
"""  # noqa: S608 - a constant
"""Reads no row: the table is partitioned by that time, so its parts say what lies in them."""


class Look(NamedTuple):
    """One look. `stored` counts since ever; the age is that of the newest stored heartbeat, by the broker's clock.

    Memory is resident MiB by stage. `computation_ms` is what a fixed computation took, `read_ns` a read of memory.
    """

    at_s: float
    stored: int
    age_s: float
    resident_mib: dict[str, float]
    computation_ms: float
    read_ns: float


class Watch:
    """Looks from a thread while it is entered. `looks` are in order; times are seconds since it was entered.

    Leaving raises what a look raised.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._began_s = 0.0
        self._failure: Exception | None = None
        self.looks: list[Look] = []

    def peak_mib(self) -> dict[str, float]:
        """Most resident memory by stage."""
        peaks: dict[str, float] = {}
        for look in self.looks:
            for stage, mib in look.resident_mib.items():
                peaks[stage] = max(peaks.get(stage, 0.0), mib)
        return peaks

    def computation_ms(self) -> float:
        """What the fixed computation took, in the middle."""
        return median(look.computation_ms for look in self.looks) if self.looks else 0.0

    def read_ns(self) -> float:
        """What a read of memory at a random place took, in the middle."""
        return median(look.read_ns for look in self.looks) if self.looks else 0.0

    def behind(self) -> list[tuple[float, float]]:
        """Time and, at that time, the age in seconds of the newest heartbeat that is stored.

        Until one of the load's is, the load's own age: storing that stands still is behind by all of it.
        """
        return [(look.at_s, min(look.age_s, look.at_s)) for look in self.looks]

    def worst_behind_s(self) -> float:
        """The largest of these ages."""
        return max((age_s for _, age_s in self.behind()), default=0.0)

    def fell_behind_s(self) -> float:
        """By how much more storing was behind at the end than in the middle, by the slope of the looks in between."""
        ages = self.behind()
        half = ages[len(ages) // 2 :]
        if len(half) < 3:  # noqa: PLR2004 - no slope of two points
            return 0.0
        slope = linear_regression([at_s for at_s, _ in half], [age_s for _, age_s in half]).slope
        return slope * (half[-1][0] - half[0][0])

    def _run(self) -> None:
        try:
            while not self._ended.wait(max(0.0, EVERY_S - (time.monotonic() - self._began_s) % EVERY_S)):
                self.looks.append(self._look())
        except Exception as error:  # noqa: BLE001 - whoever entered is told, for the rest of the load went unwatched
            self._failure = error

    def _look(self) -> Look:
        # Never /metrics of the API: adding it up holds up the process that is asked.
        age_s = float(str(self._installation.query(_AGE)[0][0]))
        resident = usage(self._installation.processes()).resident_bytes
        return Look(
            time.monotonic() - self._began_s,
            stored_rows(self._installation),
            age_s,
            {stage: round(size / MIB, 1) for stage, size in resident.items()},
            fixed_computation_ms(),
            random_read_ns(),
        )

    def __enter__(self) -> Self:
        self._began_s = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure
