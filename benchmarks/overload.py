"""Twice as many heartbeats as can be taken, malformed ones among them: what is still accepted, and what comes after."""

from typing import Final

from benchmarks.benchmark import Findings, Say
from benchmarks.heartbeat_run import Beats, Run
from benchmarks.heartbeats import cost_figures, memory_figures
from benchmarks.load.wrk import Outcome
from benchmarks.measuring.watch import Watch
from benchmarks.parts.beating_fleet import beaten_fleet
from benchmarks.parts.installation import STAGES
from benchmarks.report.result import Check, Figure, Line, Plot
from benchmarks.scale import Workplace

QUESTION: Final = (
    "at twice the highest rate, how much is accepted, how is the rest refused, and is it normal afterwards?"
)

_BEFORE_S: Final = 20.0
_LONGEST_S: Final = 120.0
_FACTOR: Final = 2.0
_CONNECTIONS: Final = 4
"""Times the usual ones: an open loop needs a free one for every call whose answer is late."""

_BAD_EVERY: Final = 20
_SPOILED_EVERY: Final = 2
_NORMAL_SHARE: Final = 0.5
"""Of the highest rate: what must go well again afterwards."""

_GROWTH_LIMIT: Final = 1.5
"""Memory at the end of the overload over that in its middle."""


def measure(workplace: Workplace, say: Say) -> Findings:
    """The highest rate, then twice that, then half of it."""
    scale = workplace.scale
    short_s = scale.at_most(_BEFORE_S)
    with beaten_fleet(workplace, scale, say) as (installation, beats):
        highest = beats.run(short_s)
        say(f"highest: {_told(highest)}")
        flood = Beats(installation, scale.devices, scale.seed, scale.connections * _CONNECTIONS)
        flood.sent = beats.sent
        overloaded = flood.run(
            scale.at_most(_LONGEST_S), rate=highest.outcome.accepted_per_s * _FACTOR, bad_every=_BAD_EVERY
        )
        say(f"overloaded: {_told(overloaded)}")
        beats.sent += flood.sent
        normal = highest.outcome.accepted_per_s * _NORMAL_SHARE
        after = beats.run(short_s, rate=normal)
        say(f"afterwards: {_told(after)}")
        spoiled = beats.run(short_s, rate=normal, bad_every=_SPOILED_EVERY)
        say(f"every second malformed: {_told(spoiled)}")
        outcome = overloaded.outcome
        goodput = outcome.accepted_per_s / highest.outcome.accepted_per_s
        return Findings(
            installation.chosen,
            _checks(overloaded, after),
            (
                Figure("highest rate before", "heartbeats/s", (highest.outcome.accepted_per_s,)),
                Figure("offered", "calls/s", (highest.outcome.accepted_per_s * _FACTOR,)),
                Figure("sent", "calls/s", (outcome.sent / outcome.duration_s,)),
                Figure("accepted", "heartbeats/s", (outcome.accepted_per_s,)),
                Figure("accepted, of the highest before", "", (goodput,), "0.9"),
                Figure("answered 400 (malformed)", "1/s", (outcome.statuses.get("400", 0) / outcome.duration_s,)),
                Figure("answered 503", "1/s", (outcome.statuses.get("503", 0) / outcome.duration_s,)),
                Figure("without an answer", "calls", (float(outcome.broken),)),
                Figure("any answer, p50", "ms", (outcome.latency_ms["p50"],)),
                Figure("any answer, p99", "ms", (outcome.latency_ms["p99"],)),
                Figure("all stored after its end", "s", (overloaded.stored_after_s,)),
                Figure("afterwards, accepted", "heartbeats/s", (after.outcome.accepted_per_s,)),
                Figure("afterwards, p99", "ms", (after.outcome.latency_ms["p99"],)),
                Figure("afterwards, all stages", "µs/call", (_call_us(after),)),
                Figure(
                    "the same rate, every second call malformed",
                    "µs/call",
                    (_call_us(spoiled),),
                    "no more than with good ones alone",
                ),
                *cost_figures([overloaded]),
                *memory_figures([overloaded]),
            ),
            (_memory_plot(overloaded.watch),),
        )


def _checks(overloaded: Run, after: Run) -> tuple[Check, ...]:
    outcome = overloaded.outcome
    growth = _memory_growth(overloaded.watch)
    return (
        Check(
            "each acknowledged heartbeat is stored exactly once", overloaded.verdict.is_clean, str(overloaded.verdict)
        ),
        Check(
            "answers are 200, 400 for what is malformed, and 503 with Retry-After",
            set(outcome.statuses) <= {"200", "400", "503"} and not outcome.without_retry_after,
            f"{_statuses(outcome)}; {outcome.without_retry_after:,} without Retry-After",
        ),
        Check("memory is flat", growth < _GROWTH_LIMIT, f"{growth:.2f} times what it was in the middle"),
        Check(
            "afterwards everything is accepted again",
            set(after.outcome.statuses) == {"200"} and after.verdict.is_clean,
            f"{_statuses(after.outcome)}; {after.verdict}",
        ),
    )


def _call_us(run: Run) -> float:
    """Processor time of Muster, without the load generator, for each call answered."""
    return sum(run.processor_s.get(stage, 0.0) for stage in STAGES) / max(1, run.outcome.answered) * 1e6


def _memory_growth(watch: Watch) -> float:
    looks = watch.looks
    if len(looks) < 2:  # noqa: PLR2004 - nothing to compare
        return 1.0
    middle, end = sum(looks[len(looks) // 2].resident_mib.values()), sum(looks[-1].resident_mib.values())
    return end / middle


def _told(run: Run) -> str:
    return (
        f"{run.outcome.accepted_per_s:,.0f}/s accepted, {_statuses(run.outcome)},"
        f" p99 {run.outcome.latency_ms['p99']:.0f} ms; {run.verdict}"
    )


def _statuses(outcome: Outcome) -> str:
    return f"{outcome.told_statuses}; {outcome.broken:,} without an answer"


def _memory_plot(watch: Watch) -> Plot:
    xs = tuple(look.at_s for look in watch.looks)
    lines = [Line(stage, xs, tuple(look.resident_mib.get(stage, 0.0) for look in watch.looks)) for stage in STAGES]
    return Plot("memory", "Resident memory under overload", "s", "MiB", tuple(lines))
