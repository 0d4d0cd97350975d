"""The highest rate of heartbeats that one machine accepts, stores exactly once and keeps up with."""

from typing import Final

from benchmarks.benchmark import Findings, Say
from benchmarks.heartbeat_findings import answered, cost_figures, ledger_checks, memory_figures
from benchmarks.heartbeat_run import Run
from benchmarks.held_rate import ACCEPTED_SHARE, highest_held, is_accepted, keeps_up, told_held
from benchmarks.load.heartbeat_bodies import mean_size_bytes
from benchmarks.measuring.watch import Watch
from benchmarks.parts.beating_fleet import beaten_fleet, told_first
from benchmarks.parts.installation import STAGES
from benchmarks.report.result import Check, Figure, Line, Plot
from benchmarks.scale import Workplace

QUESTION: Final = "how many heartbeats a second does one machine accept, store exactly once and keep up with?"

_SEARCH_S: Final = 20.0


def measure(workplace: Workplace, say: Say) -> Findings:
    """Find the rate in a closed loop, unless one is given, then hold it in an open one."""
    scale = workplace.scale
    with beaten_fleet(workplace, scale, say) as (installation, beats):
        held = highest_held(beats, scale.at_most(_SEARCH_S), say, rate=scale.rate)
        apart = beats.run(scale.at_most(_SEARCH_S), closes_connections=True)
        say(f"each on a connection of its own: {apart.outcome.accepted_per_s:,.0f}/s accepted")
        runs: list[Run] = []
        for _ in range(scale.repeats):
            runs.append(beats.run(scale.seconds, rate=held.per_s, keeps_positions=False))
            say(f"held {held.per_s:,.0f}/s: {told_held(runs[-1])}")
        shares = tuple(run.outcome.accepted_per_s / held.per_s for run in runs)
        changed = installation.query("SELECT countIf(is_changed) / count() FROM heartbeats_log")[0][0]
        return Findings(
            settings=installation.chosen,
            checks=(
                *ledger_checks([*beats.first, held.closed, *held.tries, apart, *runs]),
                answered([held.closed, *runs]),
                Check(
                    f"{ACCEPTED_SHARE:.0%} of what is offered are accepted",
                    workplace.is_quick or all(is_accepted(run, held.per_s) for run in runs),
                    ", ".join(f"{share:.3f}" for share in shares),
                ),
                _kept_up(runs),
            ),
            figures=(
                Figure(
                    "accepted", "heartbeats/s", tuple(run.outcome.accepted_per_s for run in runs), "16,667; aim 25,000"
                ),
                Figure("accepted, of what was offered", "", shares, "1"),
                Figure("closed loop, accepted", "heartbeats/s", (held.closed.outcome.accepted_per_s,)),
                Figure("closed loop, until stored", "heartbeats/s", (held.closed.stored_per_s,)),
                Figure("closed loop, new connections, accepted", "heartbeats/s", (apart.outcome.accepted_per_s,)),
                Figure("closed loop, new connections, api", "µs/heartbeat", (apart.per_heartbeat_us("api"),)),
                Figure("acknowledged, p50", "ms", tuple(run.outcome.latency_ms["p50"] for run in runs)),
                Figure("acknowledged, p99", "ms", tuple(run.outcome.latency_ms["p99"] for run in runs), "below 250"),
                Figure("records stored within, p99 (bucket)", "s", tuple(run.visible_p99_s for run in runs), "5"),
                Figure(
                    "age of the newest stored, worst look", "s", tuple(run.watch.worst_behind_s() for run in runs), "5"
                ),
                Figure(
                    "fell further behind, second half", "s", tuple(run.watch.fell_behind_s() for run in runs), "below 1"
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
                f"The first two heartbeats of all devices, in closed loops before: {told_first(beats)}.",
                *held.too_much,
            ),
        )


def _kept_up(runs: list[Run]) -> Check:
    told = [f"{run.watch.worst_behind_s():.1f} s behind at worst" for run in runs]
    return Check("storing keeps up", all(map(keeps_up, runs)), "; ".join(told))


def _behind_plot(watch: Watch) -> Plot:
    looks = watch.behind()
    line = Line("behind", tuple(at_s for at_s, _ in looks), tuple(age_s for _, age_s in looks))
    return Plot("behind", "Age of the newest heartbeat that is stored", "s", "s", (line,))


def _memory_plot(watch: Watch) -> Plot:
    xs = tuple(look.at_s for look in watch.looks)
    lines = tuple(Line(stage, xs, tuple(look.resident_mib.get(stage, 0.0) for look in watch.looks)) for stage in STAGES)
    return Plot("memory", "Resident memory", "s", "MiB", lines)
