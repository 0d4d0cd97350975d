"""The highest rate of heartbeats that one machine accepts, stores exactly once and keeps up with."""

from typing import Final

from benchmarks.benchmark import Findings, Say
from benchmarks.heartbeat_run import Run
from benchmarks.load.heartbeat_bodies import mean_size_bytes
from benchmarks.measuring.watch import Watch
from benchmarks.parts.beating_fleet import beaten_fleet, told_first
from benchmarks.parts.installation import GENERATOR, STAGES
from benchmarks.report.result import Check, Figure, Line, Plot
from benchmarks.scale import Workplace

QUESTION: Final = "how many heartbeats a second does one machine accept, store exactly once and keep up with?"

_TRIES: Final = 4
_START_SHARE: Final = 0.97
"""Of what the closed loop accepted: the first rate that is tried. What it had stored at its end tells too little."""

_STEP_SHARE: Final = 0.95
"""A rate that storing did not keep up with in a short run is lowered to this."""

_BEHIND_LIMIT_S: Final = 5.0
_FELL_LIMIT_S: Final = 1.0
"""By which storing may fall further behind over the second half of a run; it swings by half a second anyway."""

_SEARCH_S: Final = 20.0


def measure(workplace: Workplace, say: Say) -> Findings:
    """Find the rate in a closed loop, unless one is given, then hold it in an open one."""
    scale = workplace.scale
    with beaten_fleet(workplace, scale, say) as (installation, beats):
        searched = beats.run(scale.at_most(_SEARCH_S), keeps_positions=False)
        say(f"closed loop: {searched.outcome.accepted_per_s:,.0f}/s accepted, {searched.stored_per_s:,.0f}/s stored")
        apart = beats.run(scale.at_most(_SEARCH_S), closes_connections=True)
        say(f"each on a connection of its own: {apart.outcome.accepted_per_s:,.0f}/s accepted")
        rate = scale.rate or searched.outcome.accepted_per_s * _START_SHARE
        runs: list[Run] = []
        everything = [*beats.first, searched, apart]
        tried: list[str] = []
        for _ in range(0 if scale.rate else _TRIES):
            run = beats.run(scale.at_most(_SEARCH_S), rate=rate, keeps_positions=False)
            everything.append(run)
            say(f"tried {rate:,.0f}/s: {_told(run)}")
            if keeps_up(run.watch):
                break
            tried.append(f"{rate:,.0f}/s was too much: {_told(run)}")
            rate *= _STEP_SHARE
        for _ in range(scale.repeats):
            runs.append(beats.run(scale.seconds, rate=rate, keeps_positions=False))
            say(f"held {rate:,.0f}/s: {_told(runs[-1])}")
        everything += runs
        changed = installation.query("SELECT countIf(is_changed) / count() FROM heartbeats_log")[0][0]
        return Findings(
            settings=installation.chosen,
            checks=(*ledger_checks(everything), answered(runs), _kept_up(runs)),
            figures=(
                Figure(
                    "accepted", "heartbeats/s", tuple(run.outcome.accepted_per_s for run in runs), "16,667; aim 25,000"
                ),
                Figure(
                    "accepted, of what was offered", "", tuple(run.outcome.accepted_per_s / rate for run in runs), "1"
                ),
                Figure("closed loop, accepted", "heartbeats/s", (searched.outcome.accepted_per_s,)),
                Figure("closed loop, until stored", "heartbeats/s", (searched.stored_per_s,)),
                Figure("closed loop, new connections, accepted", "heartbeats/s", (apart.outcome.accepted_per_s,)),
                Figure("closed loop, new connections, api", "µs/heartbeat", (apart.per_heartbeat_us("api"),)),
                Figure("acknowledged, p50", "ms", tuple(run.outcome.latency_ms["p50"] for run in runs)),
                Figure("acknowledged, p99", "ms", tuple(run.outcome.latency_ms["p99"] for run in runs), "below 250"),
                Figure("stored within, p99 (bucket)", "s", tuple(run.visible_p99_s for run in runs), "5"),
                Figure("oldest not yet stored, worst look", "s", tuple(_worst_s(run.watch) for run in runs), "5"),
                Figure(
                    "fell further behind, second half", "s", tuple(fell_behind_s(run.watch) for run in runs), "below 1"
                ),
                *cost_figures(runs),
                *memory_figures(runs),
            ),
            plots=(_behind_plot(runs[-1].watch), _memory_plot(runs[-1].watch)),
            notes=(
                (
                    f"Bodies of {mean_size_bytes(scale.seed):,.0f} bytes on average; {float(str(changed)):.1%} of what"
                    " was stored said something else than the device's last heartbeat (its first one included)."
                ),
                f"First heartbeats of all devices, in a closed loop before: {told_first(beats)}.",
                *tried,
            ),
        )


def keeps_up(watch: Watch) -> bool:
    """Whether storing followed: never far behind, and not further and further."""
    return _worst_s(watch) <= _BEHIND_LIMIT_S and fell_behind_s(watch) <= _FELL_LIMIT_S


def fell_behind_s(watch: Watch) -> float:
    """By how much more storing was behind at the end than in the middle, by the slope of the looks in between."""
    ages = watch.behind()
    half = ages[len(ages) // 2 :]
    if len(half) < 3:  # noqa: PLR2004 - no slope of two points
        return 0.0
    mean_x = sum(x for x, _ in half) / len(half)
    mean_y = sum(y for _, y in half) / len(half)
    spread = sum((x - mean_x) ** 2 for x, _ in half)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in half) / spread if spread else 0.0
    return slope * (half[-1][0] - half[0][0])


def ledger_checks(runs: list[Run]) -> tuple[Check, ...]:
    """That each acknowledged heartbeat is stored once, and that its acknowledgement says where."""
    verdicts = [run.verdict for run in runs]
    bad = [str(verdict) for verdict in verdicts if not verdict.is_clean]
    total = sum(verdict.acknowledged for verdict in verdicts)
    bare = sum(run.outcome.without_position for run in runs)
    return (
        Check(
            "each acknowledged heartbeat is stored exactly once", not bad and total > 0, "; ".join(bad) or f"{total:,}"
        ),
        Check("every acknowledgement looked at has its position", bare == 0, f"{bare:,} have none"),
    )


def answered(runs: list[Run]) -> Check:
    """That nothing was refused and nothing left without an answer."""
    statuses = {status for run in runs for status in run.outcome.statuses}
    broken = sum(run.outcome.broken for run in runs)
    told = f"{', '.join(sorted(statuses))}; {broken:,} without an answer"
    return Check("every call is answered with 200", statuses == {"200"} and not broken, told)


def cost_figures(runs: list[Run]) -> tuple[Figure, ...]:
    """Processor time of each stage for a heartbeat, and that of all of them."""
    stages = [*STAGES, GENERATOR]
    figures = [
        Figure(f"processor, {stage}", "µs/heartbeat", tuple(run.per_heartbeat_us(stage) for run in runs))
        for stage in stages
    ]
    total = tuple(sum(run.per_heartbeat_us(stage) for stage in stages) for run in runs)
    others = tuple(run.others_s / run.took_s for run in runs)
    return (
        *figures,
        Figure("processor, all of these", "µs/heartbeat", total, "80 for 25,000/s on two cores"),
        Figure("others on the machine", "cores", others),
        Figure("a fixed computation meanwhile", "ms", tuple(run.watch.computation_ms() for run in runs)),
        Figure("a random read of memory meanwhile", "ns", tuple(run.watch.read_ns() for run in runs)),
    )


def memory_figures(runs: list[Run]) -> tuple[Figure, ...]:
    """Most resident memory of each stage."""
    return tuple(
        Figure(f"memory, {stage}", "MiB", tuple(run.watch.peak_mib().get(stage, 0.0) for run in runs))
        for stage in STAGES
    )


def _kept_up(runs: list[Run]) -> Check:
    told = [f"{_worst_s(run.watch):.1f} s behind at worst" for run in runs]
    return Check("storing keeps up", all(keeps_up(run.watch) for run in runs), "; ".join(told))


def _worst_s(watch: Watch) -> float:
    return max((age for _, age in watch.behind()), default=0.0)


def _told(run: Run) -> str:
    return (
        f"{run.outcome.accepted_per_s:,.0f}/s accepted, p99 {run.outcome.latency_ms['p99']:.0f} ms,"
        f" at worst {_worst_s(run.watch):.1f} s behind and {fell_behind_s(run.watch):+.2f} s; {run.verdict}"
    )


def _behind_plot(watch: Watch) -> Plot:
    looks = watch.behind()
    line = Line("behind", tuple(at_s for at_s, _ in looks), tuple(age_s for _, age_s in looks))
    return Plot("behind", "Age of the newest heartbeat that is stored", "s", "s", (line,))


def _memory_plot(watch: Watch) -> Plot:
    xs = tuple(look.at_s for look in watch.looks)
    lines = tuple(Line(stage, xs, tuple(look.resident_mib.get(stage, 0.0) for look in watch.looks)) for stage in STAGES)
    return Plot("memory", "Resident memory", "s", "MiB", lines)
