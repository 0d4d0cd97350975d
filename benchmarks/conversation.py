"""All that a fleet says in a minute: a device polls 24 times, asks once for playbooks, and beats once."""

import time
from typing import Final, NamedTuple

from benchmarks.benchmark import Findings, Say
from benchmarks.heartbeat_findings import answered, ledger_checks, memory_figures
from benchmarks.heartbeat_run import Beats, Run
from benchmarks.held_rate import keeps_up
from benchmarks.load.poll_load import poll_script
from benchmarks.load.wrk import Load, Outcome
from benchmarks.measuring.processor_time import others_between, usage, used_between
from benchmarks.parts.beating_fleet import beaten_fleet
from benchmarks.parts.installation import GENERATOR, STAGES, Installation
from benchmarks.report.result import Check, Figure, Line, Plot
from benchmarks.scale import Workplace

QUESTION: Final = "for how many devices is the whole conversation served, each call's p99 under 100 ms?"

_MINUTE_S: Final = 60.0
_READS_A_MINUTE: Final = 25
_P99_LIMIT_MS: Final = 100.0
_SEARCH_S: Final = 15.0
_WARM_S: Final = 5.0
_LONGEST_S: Final = 60.0
_HOLDS: Final = 3
"""Sizes that are held at most: a short conversation promises more than a long one keeps."""
_TRIES: Final = 6
_FIRST_SHARE: Final = 0.5
"""Of the fleet whose reads a closed loop served: where the search begins."""

_STEP: Final = 1.2
_LATE_SHARE: Final = 0.001


class Conversation(NamedTuple):
    """One fleet's minute, or a part of it. `processor_s` by stage, the load generator's two halves included."""

    devices: int
    reads: Outcome
    beats: Run
    processor_s: dict[str, float]
    took_s: float
    others_s: float
    """Processor seconds of what is neither Muster nor the load generator."""

    @property
    def is_served(self) -> bool:
        """Whether everything was answered with 200, on time, and its heartbeats were stored in time."""
        return (
            max(self.reads.latency_ms["p99"], self.beats.outcome.latency_ms["p99"]) < _P99_LIMIT_MS
            and set(self.reads.statuses) == {"200"} == set(self.beats.outcome.statuses)
            and not self.reads.broken
            and not self.beats.outcome.broken
            and keeps_up(self.beats)
            and self.reads.late + self.beats.outcome.late <= _LATE_SHARE * (self.reads.sent + self.beats.outcome.sent)
        )

    def __str__(self) -> str:
        beats = self.beats.outcome
        return (
            f"{self.devices:,} devices: {self.reads.accepted_per_s:,.0f} reads/s p99 {self.reads.latency_ms['p99']:.0f}"
            f" ms, {beats.accepted_per_s:,.0f} heartbeats/s p99 {beats.latency_ms['p99']:.0f} ms,"
            f" {self.reads.late + beats.late} late, {'served' if self.is_served else 'too much'}"
        )


def measure(workplace: Workplace, say: Say) -> Findings:
    """Search the fleet's size with short conversations, then hold the largest."""
    scale = workplace.scale
    with beaten_fleet(workplace, scale, say) as (installation, gone):
        beats = Beats(installation, scale.devices, scale.seed, max(16, scale.connections // 4))
        beats.sent = gone.sent
        say(f"first configurations: {_warm(installation, workplace):,}")
        closed = _read_all(installation, workplace, scale.at_most(_SEARCH_S))
        size = min(scale.devices, int(closed.accepted_per_s * _MINUTE_S / _READS_A_MINUTE * _FIRST_SHARE))
        say(f"closed loop: {closed.accepted_per_s:,.0f} reads/s")
        size, tried = _search(installation, workplace, beats, size, say)
        for _ in range(_HOLDS):
            held = [_hold(installation, workplace, beats, size, say)]
            if held[0].is_served:
                break
            tried.append(held[0])
            size = int(size / _STEP)
        held += [_hold(installation, workplace, beats, size, say) for _ in range(scale.repeats - 1)]
        return Findings(
            installation.chosen,
            (
                *ledger_checks([each.beats for each in (*tried, *held)]),
                answered([each.beats for each in held]),
                _served(held),
            ),
            (
                Figure(
                    "devices",
                    "",
                    tuple(float(each.devices) for each in held if each.is_served) or (0.0,),
                    "30,000; aim 50,000",
                ),
                Figure("reads", "1/s", tuple(each.reads.accepted_per_s for each in held)),
                Figure("reads, p50", "ms", tuple(each.reads.latency_ms["p50"] for each in held)),
                Figure("reads, p99", "ms", tuple(each.reads.latency_ms["p99"] for each in held), "below 100"),
                Figure("heartbeats", "1/s", tuple(each.beats.outcome.accepted_per_s for each in held)),
                Figure("heartbeats, p50", "ms", tuple(each.beats.outcome.latency_ms["p50"] for each in held)),
                Figure(
                    "heartbeats, p99", "ms", tuple(each.beats.outcome.latency_ms["p99"] for each in held), "below 100"
                ),
                Figure("fell further behind", "s", tuple(each.beats.watch.fell_behind_s() for each in held), "below 1"),
                *(
                    Figure(
                        f"processor, {stage}",
                        "cores",
                        tuple(each.processor_s.get(stage, 0) / each.took_s for each in held),
                    )
                    for stage in (*STAGES, GENERATOR)
                ),
                Figure("others on the machine", "cores", tuple(each.others_s / each.took_s for each in held)),
                *memory_figures([each.beats for each in held]),
            ),
            (_plot([*tried, *held]),),
            tuple(str(each) for each in tried),
        )


def _warm(installation: Installation, workplace: Workplace) -> int:
    """Every device is given its configuration once."""
    answered = 0
    while answered < workplace.scale.devices:
        outcome = _read_all(installation, workplace, workplace.scale.at_most(_WARM_S), polled_before=answered)
        answered += outcome.accepted // 2
        if not outcome.accepted:
            break
    return answered


def _read_all(installation: Installation, workplace: Workplace, seconds: float, polled_before: int = 0) -> Outcome:
    scale = workplace.scale
    script = poll_script(
        installation.folder, ["registration", "configuration"], devices=scale.devices, polled_before=polled_before
    )
    return Load(
        installation.address,
        script,
        installation.folder / "warm.json",
        seconds=seconds,
        connections=scale.connections,
    ).finish()


def _search(
    installation: Installation, workplace: Workplace, beats: Beats, size: int, say: Say
) -> tuple[int, list[Conversation]]:
    """Grow or shrink by steps until one size is served and the next is not."""
    tried: list[Conversation] = []
    served = 0
    refused = workplace.scale.devices + 1
    for _ in range(_TRIES):
        conversation = _converse(installation, workplace, beats, size, workplace.scale.at_most(_SEARCH_S))
        say(str(conversation))
        tried.append(conversation)
        if conversation.is_served:
            served = max(served, size)
            size = min(int(size * _STEP), workplace.scale.devices)
        else:
            refused = min(refused, size)
            size = int(size / _STEP)
        if served and (size >= refused or size <= served):
            break
    return served or size, tried


def _hold(installation: Installation, workplace: Workplace, beats: Beats, size: int, say: Say) -> Conversation:
    held = _converse(installation, workplace, beats, size, workplace.scale.at_most(_LONGEST_S))
    say(f"held: {held}")
    return held


def _converse(
    installation: Installation, workplace: Workplace, beats: Beats, devices: int, seconds: float
) -> Conversation:
    scale = workplace.scale
    script = poll_script(
        installation.folder, ["registration", "configuration"], devices=devices, once_a_minute="playbookexecutions"
    )
    before, began_s = usage(installation.processes()), time.monotonic()
    reading = Load(
        installation.address,
        script,
        installation.folder / "conversation.json",
        seconds=seconds,
        connections=scale.connections,
        rate=devices * _READS_A_MINUTE / _MINUTE_S,
    )
    run = beats.run(seconds, rate=devices / _MINUTE_S, devices=devices)
    reads = reading.finish()
    took_s = time.monotonic() - began_s
    after = usage(installation.processes())
    used = used_between(before, after)
    used[GENERATOR] = reads.processor_s + run.outcome.processor_s
    return Conversation(devices, reads, run, used, took_s, others_between(before, after, used[GENERATOR]))


def _served(held: list[Conversation]) -> Check:
    return Check(
        "the whole conversation is served, p99 below 100 ms",
        all(each.is_served for each in held),
        "; ".join(str(each) for each in held),
    )


def _plot(conversations: list[Conversation]) -> Plot:
    ordered = sorted(conversations, key=lambda each: each.devices)
    xs = tuple(float(each.devices) for each in ordered)
    return Plot(
        "latency",
        "p99 by fleet size",
        "devices",
        "ms",
        (
            Line("reads", xs, tuple(each.reads.latency_ms["p99"] for each in ordered)),
            Line("heartbeats", xs, tuple(each.beats.outcome.latency_ms["p99"] for each in ordered)),
        ),
    )
