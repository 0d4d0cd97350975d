"""Twice as many heartbeats as can be taken, malformed ones among them: what is still accepted, and what comes after.

Twice: where the machine is the limit, which the load generator needs as well, so that callers wait; and where the bytes
in flight are, far below what the machine can do, so that the rest is refused.
"""

from statistics import mean
from typing import Final, NamedTuple

import msgspec

from benchmarks.benchmark import Findings, Say
from benchmarks.heartbeat_findings import answered, cost_figures, ledger_checks, memory_figures
from benchmarks.heartbeat_run import Beats, Run
from benchmarks.held_rate import ACCEPTED_SHARE, is_accepted
from benchmarks.load.wrk import Outcome
from benchmarks.measuring.watch import Watch
from benchmarks.parts.beating_fleet import beaten_fleet
from benchmarks.parts.installation import STAGES
from benchmarks.report.result import Check, Figure, Line, Plot
from benchmarks.scale import Workplace

QUESTION: Final = (
    "at twice the highest rate, how much is accepted, how is the rest refused, and is it normal afterwards?"
)

_HIGHEST_S: Final = 30.0
"""For each of the closed loops before and after the overload, between which the machine's own pace lies."""

_AFTER_S: Final = 20.0
_GOODPUT: Final = 0.9
"""Of the highest rate: what must be accepted at twice as much."""

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

_BOUND: Final = {"HEARTBEATS_IN_FLIGHT_BYTES": "1000000", "HEARTBEATS_WINDOW_MS": "200"}
"""Some 900 heartbeats at a time, each for 0.2 s: a fifth of what the machine can do, or less."""

_BOUND_CONNECTIONS: Final = 800
"""As many as are never refused."""

_MACHINE: Final = "the machine is the limit"
_IN_FLIGHT: Final = "bytes in flight are the limit"


class _Flood(NamedTuple):
    """The highest rate, twice that, half of it with good calls and with every second one malformed, the highest again.

    `chosen` are the installation's settings.
    """

    chosen: dict[str, str]
    before: Run
    overloaded: Run
    after: Run
    spoiled: Run
    again: Run

    @property
    def highest_per_s(self) -> float:
        """Accepted heartbeats a second of the closed loops before and after."""
        return mean((self.before.outcome.accepted_per_s, self.again.outcome.accepted_per_s))

    @property
    def goodput(self) -> float:
        """What was accepted of an overload, of the highest rate."""
        return self.overloaded.outcome.accepted_per_s / self.highest_per_s


def measure(workplace: Workplace, say: Say) -> Findings:
    """Flood both."""
    by_machine = _flood(workplace, say)
    scale = workplace.scale
    if not workplace.is_quick:
        scale = msgspec.structs.replace(scale, connections=_BOUND_CONNECTIONS)
    settings = {**workplace.settings, **_BOUND}
    in_flight = _flood(msgspec.structs.replace(workplace, scale=scale, settings=settings), say)
    refused = in_flight.overloaded.outcome.statuses.get("503", 0)
    return Findings(
        by_machine.chosen,
        (
            *_checks(by_machine, _MACHINE, workplace),
            *_checks(in_flight, _IN_FLIGHT, workplace),
            Check(f"{_IN_FLIGHT}: the rest is refused", workplace.is_quick or refused > 0, f"{refused:,} times 503"),
        ),
        (
            *_figures(by_machine, _MACHINE),
            *cost_figures([by_machine.overloaded]),
            *memory_figures([by_machine.overloaded]),
            *_figures(in_flight, _IN_FLIGHT),
        ),
        (_memory_plot(by_machine.overloaded.watch),),
        (f"{_IN_FLIGHT}: {', '.join(f'MUSTER_{name}={value}' for name, value in _BOUND.items())}.",),
    )


def _flood(workplace: Workplace, say: Say) -> _Flood:
    scale = workplace.scale
    highest_s, after_s = scale.at_most(_HIGHEST_S), scale.at_most(_AFTER_S)
    with beaten_fleet(workplace, scale, say) as (installation, beats):
        before = beats.run(highest_s)
        say(f"highest: {_told(before)}")
        flood = Beats(installation, scale.devices, scale.seed, scale.connections * _CONNECTIONS)
        flood.sent = beats.sent
        rate = before.outcome.accepted_per_s
        overloaded = flood.run(scale.at_most(_LONGEST_S), rate=rate * _FACTOR, bad_every=_BAD_EVERY)
        say(f"overloaded: {_told(overloaded)}")
        beats.sent = flood.sent
        after = beats.run(after_s, rate=rate * _NORMAL_SHARE)
        say(f"afterwards: {_told(after)}")
        spoiled = beats.run(after_s, rate=rate * _NORMAL_SHARE, bad_every=_SPOILED_EVERY)
        say(f"every second malformed: {_told(spoiled)}")
        again = beats.run(highest_s)
        say(f"highest again: {_told(again)}")
        return _Flood(installation.chosen, before, overloaded, after, spoiled, again)


def _figures(flood: _Flood, limit: str) -> tuple[Figure, ...]:
    outcome, after = flood.overloaded.outcome, flood.after.outcome
    before, again = flood.before.outcome.accepted_per_s, flood.again.outcome.accepted_per_s
    figures = (
        Figure("highest rate, before and after", "heartbeats/s", (before, again)),
        Figure("offered", "calls/s", (before * _FACTOR,)),
        Figure("sent", "calls/s", (outcome.sent / outcome.duration_s,)),
        Figure("accepted", "heartbeats/s", (outcome.accepted_per_s,)),
        Figure("accepted, of the highest", "", (flood.goodput,), f"{_GOODPUT}"),
        Figure("answered 400 (malformed)", "1/s", (outcome.statuses.get("400", 0) / outcome.duration_s,)),
        Figure("answered 503", "1/s", (outcome.statuses.get("503", 0) / outcome.duration_s,)),
        Figure("without an answer", "calls", (float(outcome.broken),)),
        Figure("any answer, p50", "ms", (outcome.latency_ms["p50"],)),
        Figure("any answer, p99", "ms", (outcome.latency_ms["p99"],)),
        Figure("all stored after its end", "s", (flood.overloaded.stored_after_s,)),
        Figure("at the highest rate, all stages", "µs/call", (_call_us(flood.before), _call_us(flood.again))),
        Figure("at twice that, all stages", "µs/call", (_call_us(flood.overloaded),)),
        Figure("afterwards, accepted", "heartbeats/s", (after.accepted_per_s,)),
        Figure("afterwards, p99", "ms", (after.latency_ms["p99"],)),
        Figure("afterwards, all stages", "µs/call", (_call_us(flood.after),)),
        Figure(
            "the same rate, every second call malformed",
            "µs/call",
            (_call_us(flood.spoiled),),
            "no more than with good ones alone",
        ),
    )
    return tuple(msgspec.structs.replace(figure, name=f"{limit}: {figure.name}") for figure in figures)


def _checks(flood: _Flood, limit: str, workplace: Workplace) -> tuple[Check, ...]:
    outcome, after = flood.overloaded.outcome, flood.after
    stored, position = ledger_checks([flood.before, flood.overloaded, after, flood.spoiled, flood.again])
    growth = _memory_growth(flood.overloaded.watch)
    checks = (
        stored,
        position,
        Check(
            "answers are 200, 400 for what is malformed, and 503 with Retry-After",
            set(outcome.statuses) <= {"200", "400", "503"} and not outcome.without_retry_after,
            f"{_statuses(outcome)}; {outcome.without_retry_after:,} without Retry-After",
        ),
        Check(
            f"{_GOODPUT:.0%} of the highest rate are accepted",
            workplace.is_quick or flood.goodput >= _GOODPUT,
            f"{flood.goodput:.3f} of {flood.highest_per_s:,.0f}/s, the mean of before and after",
        ),
        msgspec.structs.replace(
            answered([flood.before, flood.again]),
            what="the highest rate is one of calls that are all answered with 200",
        ),
        Check("memory is flat", growth < _GROWTH_LIMIT, f"{growth:.2f} times what it was in the middle"),
        Check(
            "afterwards everything is accepted again",
            set(after.outcome.statuses) == {"200"} and not after.outcome.broken,
            _statuses(after.outcome),
        ),
        Check(
            f"afterwards {ACCEPTED_SHARE:.0%} of what is offered are accepted",
            workplace.is_quick or is_accepted(after, flood.before.outcome.accepted_per_s * _NORMAL_SHARE),
            f"{after.outcome.accepted_per_s:,.0f}/s",
        ),
    )
    return tuple(msgspec.structs.replace(check, what=f"{limit}: {check.what}") for check in checks)


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
