"""One measured run of heartbeats: a load, the watch beside it, the wait until all is stored, the ledger, the costs."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.device_ledger import check_by_device
from benchmarks.ledger import Verdict, check, stored_rows, wait_until_stored
from benchmarks.load.heartbeat_load import heartbeat_script, sent_by_device
from benchmarks.load.wrk import Load, Outcome
from benchmarks.measuring.processor_time import others_between, usage, used_between
from benchmarks.measuring.scraped_metrics import quantile_between, scrape
from benchmarks.measuring.watch import Watch
from benchmarks.parts.installation import GENERATOR, Installation

_FIRST_ROUNDS: Final = 2

_DELAY: Final = "muster_heartbeat_delay_seconds"


class Run(NamedTuple):
    """What a run cost and brought. Processor seconds by stage cover the load and the wait until all was stored."""

    outcome: Outcome
    verdict: Verdict
    watch: Watch
    stored_after_s: float
    """From the end of sending until everything acknowledged was stored."""
    took_s: float
    processor_s: Mapping[str, float]
    others_s: float
    visible_p99_s: float

    def per_heartbeat_us(self, stage: str) -> float:
        """Microseconds of a stage's processor time for each accepted heartbeat."""
        return self.processor_s.get(stage, 0.0) / max(1, self.outcome.accepted) * 1e6

    def cores(self, stage: str) -> float:
        """Cores that a stage kept busy."""
        return self.processor_s.get(stage, 0.0) / self.took_s

    @property
    def stored_per_s(self) -> float:
        """Accepted heartbeats over the time until the last of them was stored: what the whole pipeline can do."""
        return self.outcome.accepted / (self.outcome.duration_s + self.stored_after_s)


class Beats:
    """Runs heartbeats of one fleet against one installation; each run goes on where the last one ended."""

    def __init__(self, installation: Installation, devices: int, seed: int, connections: int) -> None:
        self._installation = installation
        self._devices = devices
        self._seed = seed
        self._connections = connections
        self._folder = installation.folder
        self._runs = 0
        self.sent = 0
        self.first: list[Run] = []
        """The runs of the first two rounds."""

    def run(
        self,
        seconds: float,
        *,
        rate: float = 0,
        devices: int = 0,
        bad_every: int = 0,
        closes_connections: bool = False,
        keeps_positions: bool = True,
    ) -> Run:
        """Beat for so many seconds, at a rate or as fast as answers come; `devices` of the fleet, all unless given.

        Without positions the ledger goes by device, and the load generator takes less of the machine. Ends when all is
        stored, or nothing moves any more.
        """
        self._runs += 1
        devices = devices or self._devices
        positions = self._folder / f"positions-{self._runs}"
        script = heartbeat_script(
            self._folder,
            devices=devices,
            seed=self._seed,
            beats_before=self.sent,
            positions=positions if keeps_positions else None,
            bad_every=bad_every,
            closes_connections=closes_connections,
        )
        installation = self._installation
        worker = f"http://127.0.0.1:{installation.settings.streams.heartbeats_metrics_port}"
        stored_before = stored_rows(installation)
        since_ms = int(time.time() * 1000)
        delays_before, before, began_s = scrape(worker), usage(installation.processes()), time.monotonic()
        with Watch(installation) as watch:
            load = Load(
                installation.address,
                script,
                self._folder / f"outcome-{self._runs}.json",
                seconds=seconds,
                connections=self._connections,
                rate=rate,
            )
            load.wait_while_sending()
            sent_s = time.monotonic()
        outcome = load.finish()
        wait_until_stored(installation, stored_before + outcome.accepted)
        stored_after_s = time.monotonic() - sent_s
        after, took_s = usage(installation.processes()), time.monotonic() - began_s
        delays_after = scrape(worker)
        if keeps_positions:
            verdict = check(installation, positions, since_ms)
        else:
            sent = sent_by_device(devices, self.sent, outcome.sent)
            verdict = check_by_device(installation, sent, outcome.accepted, since_ms)
        self.sent += outcome.sent
        run = Run(
            outcome,
            verdict,
            watch,
            stored_after_s,
            took_s,
            {**used_between(before, after), GENERATOR: outcome.processor_s},
            others_between(before, after, outcome.processor_s),
            quantile_between(delays_before, delays_after, _DELAY, 0.99),
        )
        _remove(positions)
        return run

    def first_rounds(self, portion_s: float) -> None:
        """Every device beats at least twice.

        A first heartbeat is a change, and costs more than those that follow; it also proves the device's key, which is
        a decision about the device, so that at its second one an API process looks at all of it anew.
        """
        while self.sent < _FIRST_ROUNDS * self._devices:
            self.first.append(self.run(portion_s))
            if not self.first[-1].outcome.accepted:
                break


def _remove(positions: Path) -> None:
    for file in positions.parent.glob(f"{positions.name}.*"):
        file.unlink()
