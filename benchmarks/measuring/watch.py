"""Looks at an installation once a second while a load runs: memory, and how far storing is behind accepting."""

import threading
import time
from types import TracebackType
from typing import Final, NamedTuple, Self

from benchmarks.ledger import stored_rows
from benchmarks.measuring.processor_time import MIB, usage
from benchmarks.measuring.scraped_metrics import scrape
from benchmarks.parts.installation import Installation

EVERY_S: Final = 1.0
_ACCEPTED: Final = "muster_heartbeats_produced_total"


class Look(NamedTuple):
    """One look. Counts are since the installation started; memory is resident MiB by stage."""

    at_s: float
    accepted: int
    stored: int
    resident_mib: dict[str, float]


class Watch:
    """Looks from a thread while it is entered. `looks` are in order; times are seconds since it was entered."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._began_s = 0.0
        self.looks: list[Look] = []

    def peak_mib(self) -> dict[str, float]:
        """Most resident memory by stage."""
        peaks: dict[str, float] = {}
        for look in self.looks:
            for stage, mib in look.resident_mib.items():
                peaks[stage] = max(peaks.get(stage, 0.0), mib)
        return peaks

    def behind(self) -> list[tuple[float, float]]:
        """Time and, at that time, the age in seconds of the newest heartbeat that is stored."""
        ages = []
        for number, look in enumerate(self.looks):
            accepted_at = next(
                (earlier.at_s for earlier in self.looks[: number + 1] if earlier.accepted >= look.stored), look.at_s
            )
            ages.append((look.at_s, max(0.0, look.at_s - accepted_at)))
        return ages

    def _run(self) -> None:
        while not self._ended.wait(max(0.0, EVERY_S - (time.monotonic() - self._began_s) % EVERY_S)):
            self.looks.append(self._look())

    def _look(self) -> Look:
        # The stored first: what is accepted in between must not look as if it were late.
        stored = stored_rows(self._installation)
        accepted = int(scrape(self._installation.address).value(_ACCEPTED))
        resident = usage(self._installation.processes()).resident_bytes
        return Look(
            time.monotonic() - self._began_s,
            accepted,
            stored,
            {stage: round(size / MIB, 1) for stage, size in resident.items()},
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
