"""Reads during a storm of changes: a workload that selects a tenth of the fleet changes again and again."""

import statistics
import time
from typing import Final

from benchmarks.benchmark import Findings, Say
from benchmarks.fleet_content import REGIONS, device_id
from benchmarks.load.poll_load import poll_script
from benchmarks.load.wrk import Load, Outcome
from benchmarks.measuring.processor_time import usage, used_between
from benchmarks.measuring.visibility import ChangeProbe, numbered_workload
from benchmarks.parts.beating_fleet import registered_fleet
from benchmarks.parts.installation import Installation
from benchmarks.report.result import Check, Figure
from benchmarks.scale import Workplace

QUESTION: Final = "how soon does every API process serve a change of a tenth of the fleet, and what does a storm cost?"

_CALLS: Final = ("registration", "configuration")
_BETWEEN_S: Final = 0.2


class _Polled:
    """A load of polls beside what is done meanwhile."""

    def __init__(self, installation: Installation, workplace: Workplace) -> None:
        scale = workplace.scale
        script = poll_script(installation.folder, _CALLS, devices=scale.devices)
        self._installation = installation
        self._load = Load(
            installation.address,
            script,
            installation.folder / "polls.json",
            seconds=scale.seconds,
            connections=scale.connections,
        )
        self._before = usage(installation.processes())

    def finish(self) -> tuple[Outcome, float]:
        """What wrk saw, and the API's processor time for each answer in µs."""
        outcome = self._load.finish()
        used = used_between(self._before, usage(self._installation.processes()))
        return outcome, used["api"] / max(1, outcome.answered) * 1e6


def measure(workplace: Workplace, say: Say) -> Findings:
    """Changes with nothing else to do, polls at rest, and both together."""
    scale = workplace.scale
    with registered_fleet(workplace, scale, say) as installation:
        probe = ChangeProbe(installation, numbered_workload(f"in-{REGIONS[0]}", device_id(0)))
        _ = installation.client
        with probe.watching():
            idle_s, idle_lost = _changes(probe, scale.seconds / 2)
            say(_told("changes alone", idle_s))
            # Every device has been asked for once before what is measured.
            _Polled(installation, workplace).finish()
            rest, rest_us = _Polled(installation, workplace).finish()
            say(f"at rest: {rest.accepted_per_s:,.0f} reads/s, p99 {rest.latency_ms['p99']:.0f} ms")
            polled = _Polled(installation, workplace)
            storm_s, storm_lost = _changes(probe, scale.seconds)
            storm, storm_us = polled.finish()
            say(f"in the storm: {storm.accepted_per_s:,.0f} reads/s, p99 {storm.latency_ms['p99']:.0f} ms")
            say(_told("changes in the storm", storm_s))
        lost = idle_lost + storm_lost
        return Findings(
            installation.chosen,
            (
                Check("every change was served by every process", not lost, f"{lost} were not"),
                Check(
                    "every read is answered with 200",
                    all(set(each.statuses) == {"200"} for each in (rest, storm)),
                    f"{rest.statuses}, {storm.statuses}",
                ),
            ),
            (
                *_quantiles("change served, nothing else to do", idle_s, "250 at a million devices"),
                *_quantiles("change served, among polls as fast as they are answered", storm_s, ""),
                Figure("polls at rest", "reads/s", (rest.accepted_per_s,)),
                Figure("polls at rest, p99", "ms", (rest.latency_ms["p99"],)),
                Figure("polls at rest, API's processor", "µs/read", (rest_us,)),
                Figure("polls in the storm", "reads/s", (storm.accepted_per_s,)),
                Figure("polls in the storm, p99", "ms", (storm.latency_ms["p99"],)),
                Figure("polls in the storm, API's processor", "µs/read", (storm_us,)),
                Figure("changes in the storm", "changes/s", (len(storm_s) / scale.seconds / scale.api_processes,)),
            ),
            notes=(
                "Served: from `stored_at` of the change to the first answer of each API process that has it.",
                "The storm changes the workload again 0.2 s after every process has served it.",
            ),
        )


def _changes(probe: ChangeProbe, seconds: float) -> tuple[list[float], int]:
    served_s: list[float] = []
    lost = 0
    ends_s = time.monotonic() + seconds
    while time.monotonic() < ends_s:
        changed_s = probe.seconds_until_served()
        lost += not changed_s
        served_s += changed_s
        time.sleep(_BETWEEN_S)
    return served_s, lost


def _quantiles(name: str, seconds: list[float], target: str) -> tuple[Figure, ...]:
    if not seconds:
        return ()
    ordered = sorted(seconds)
    return (
        Figure(f"{name}, median", "ms", (statistics.median(ordered) * 1e3,), target),
        Figure(f"{name}, p99", "ms", (ordered[round(0.99 * (len(ordered) - 1))] * 1e3,), target),
        Figure(f"{name}, most", "ms", (ordered[-1] * 1e3,), target),
        Figure(f"{name}, seen", "", (float(len(ordered)),)),
    )


def _told(what: str, seconds: list[float]) -> str:
    if not seconds:
        return f"{what}: none was served"
    return f"{what}: served after {statistics.median(seconds) * 1e3:.0f} ms, at most {max(seconds) * 1e3:.0f} ms"
