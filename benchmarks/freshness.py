"""How soon what was acknowledged can be read, and what was changed is served, with heartbeats at several rates."""

import statistics
import threading
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from benchmarks.benchmark import Findings, Say
from benchmarks.fleet_content import device_id
from benchmarks.heartbeat_findings import answered, ledger_checks
from benchmarks.heartbeat_run import Beats, Run
from benchmarks.held_rate import highest_held
from benchmarks.measuring.visibility import ChangeProbe, ProbedChange, probe_heartbeat, workload_of_a_shop
from benchmarks.parts.beating_fleet import beaten_fleet
from benchmarks.parts.installation import GENERATOR, STAGES, Installation
from benchmarks.report.result import Check, Figure, Line, Plot
from benchmarks.scale import Workplace

QUESTION: Final = (
    "how soon is an acknowledged heartbeat visible in SQL, and a stored change served by every API process?"
)

_SHARES: Final = (0.1, 0.5, 0.9)
_SEARCH_S: Final = 30.0
_LONGEST_S: Final = 90.0
_BETWEEN_S: Final = 0.5
_NOT_EXPECTED: Final = 0.5
"""Of the shortest time that a heartbeat took so far: nobody looks for one before."""

_QUANTILES: Final = ((0.5, "p50"), (0.9, "p90"), (1.0, "most"))
"""A minute and a half has some tens of probes, of which nothing rarer can be told."""


class _Probed(NamedTuple):
    """What the probes saw at one rate; seconds. Beside them how many were refused, or not seen within 30 s."""

    share: float
    run: Run
    visible_s: list[float]
    served_s: list[float]
    refused: int
    invisible: int
    unserved: int

    @property
    def lost(self) -> int:
        """Probes that saw nothing."""
        return self.refused + self.invisible + self.unserved


def measure(workplace: Workplace, say: Say) -> Findings:
    """Probe at 10, 50 and 90 % of the highest rate that is held: what one stores no longer in time tells nothing."""
    scale = workplace.scale
    with beaten_fleet(workplace, scale, say) as (installation, beats):
        held = highest_held(beats, scale.at_most(_SEARCH_S), say)
        change, device = workload_of_a_shop(installation), device_id(scale.devices - 1)
        probing = _Probing(installation, beats, change, device, scale.at_most(_LONGEST_S))
        probed = []
        for share in _SHARES:
            probed.append(probing.at(share, held.per_s * share))
            say(_told(probed[-1]))
        return Findings(
            installation.chosen,
            (
                *ledger_checks([held.closed, *held.tries, *(each.run for each in probed)]),
                answered([held.closed, *(each.run for each in probed)]),
                _all_seen(probed),
            ),
            (
                Figure("highest rate that is held", "heartbeats/s", (held.per_s,)),
                Figure("closed loop, accepted", "heartbeats/s", (held.closed.outcome.accepted_per_s,)),
                *(figure for each in probed for figure in _figures(each)),
            ),
            (_plot(probed),),
            (
                (
                    "Visible: from the answer to one more heartbeat to its row in `heartbeats`, looked for every 50 ms"
                    " from half the shortest such time on."
                ),
                (
                    "Served: from `stored_at` of a change of a workload that 20 devices run, to the first"
                    " answer of each API process that has it; each is asked every 4 ms until then."
                ),
                *held.too_much,
            ),
        )


class _Probing(NamedTuple):
    """What is probed, and for how long at each rate."""

    installation: Installation
    beats: Beats
    change: ProbedChange
    device: str
    seconds: float

    def at(self, share: float, rate: float) -> _Probed:
        """Probe one after the other beside so many heartbeats a second."""
        probe = ChangeProbe(self.installation, self.change)
        visible_s: list[float] = []
        served_s: list[float] = []
        refused = invisible = unserved = 0
        runs: list[Run] = []
        load = threading.Thread(target=lambda: runs.append(self.beats.run(self.seconds, rate=rate)), name="load")
        # Connected before the load's thread uses the same client.
        _ = self.installation.client
        with probe.watching():
            load.start()
            ends_s = time.monotonic() + self.seconds
            while time.monotonic() < ends_s:
                not_before_s = min(visible_s, default=0.0) * _NOT_EXPECTED
                beat = probe_heartbeat(self.installation, self.device, not_before_s)
                if beat.visible_s is not None:
                    visible_s.append(beat.visible_s)
                elif beat.is_accepted:
                    invisible += 1
                else:
                    refused += 1
                changed_s = probe.seconds_until_served()
                unserved += not changed_s
                served_s += changed_s
                time.sleep(_BETWEEN_S)
            load.join()
        return _Probed(share, runs[0], visible_s, served_s, refused, invisible, unserved)


def _all_seen(probed: list[_Probed]) -> Check:
    told = ", ".join(
        f"{count} {what}"
        for count, what in (
            (sum(each.refused for each in probed), "refused"),
            (sum(each.invisible for each in probed), "acknowledged and not in SQL within 30 s"),
            (sum(each.unserved for each in probed), "changed and not served within 30 s"),
        )
    )
    return Check(
        "every probe was seen", not any(each.lost for each in probed), f"{told}; of {sum(map(_probes, probed))}"
    )


def _quantile(values: Sequence[float], share: float) -> float:
    if len(values) < 2:  # noqa: PLR2004 - no quantiles of one value
        return values[0] if values else 0.0
    if share == 1:
        return max(values)
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def _figures(probed: _Probed) -> list[Figure]:
    at = f"at {probed.share:.0%}"
    return [
        Figure(f"{at}: accepted", "heartbeats/s", (probed.run.outcome.accepted_per_s,)),
        *(
            Figure(f"{at}: {what}, {name}", "s", (_quantile(values, share),))
            for what, values in (("visible in SQL", probed.visible_s), ("change served", probed.served_s))
            for share, name in _QUANTILES
        ),
        Figure(f"{at}: 99 % of all records in SQL within (bucket)", "s", (probed.run.visible_p99_s,)),
        Figure(f"{at}: acknowledged, p99", "ms", (probed.run.outcome.latency_ms["p99"],)),
        *(Figure(f"{at}: processor, {stage}", "cores", (probed.run.cores(stage),)) for stage in (*STAGES, GENERATOR)),
        Figure(f"{at}: others on the machine", "cores", (probed.run.others_s / probed.run.took_s,)),
        Figure(f"{at}: a fixed computation meanwhile", "ms", (probed.run.watch.computation_ms(),)),
        Figure(f"{at}: probes seen in SQL", "", (float(len(probed.visible_s)),)),
        Figure(f"{at}: probes served, by process", "", (float(len(probed.served_s)),)),
    ]


def _probes(probed: _Probed) -> int:
    return len(probed.visible_s) + len(probed.served_s) + probed.lost


def _told(probed: _Probed) -> str:
    return (
        f"at {probed.share:.0%}, {probed.run.outcome.accepted_per_s:,.0f}/s: visible p50"
        f" {_quantile(probed.visible_s, 0.5):.2f} s, at most {_quantile(probed.visible_s, 1):.2f} s; served p50"
        f" {_quantile(probed.served_s, 0.5):.3f} s, at most {_quantile(probed.served_s, 1):.3f} s"
    )


def _plot(probed: list[_Probed]) -> Plot:
    xs = tuple(each.run.outcome.accepted_per_s for each in probed)
    lines = (
        Line("visible in SQL, p50", xs, tuple(_quantile(each.visible_s, 0.5) for each in probed)),
        Line("visible in SQL, most", xs, tuple(_quantile(each.visible_s, 1) for each in probed)),
        Line("change served, p50", xs, tuple(_quantile(each.served_s, 0.5) for each in probed)),
        Line("change served, most", xs, tuple(_quantile(each.served_s, 1) for each in probed)),
    )
    return Plot("delay", "Delay by rate", "heartbeats/s", "s", lines)
