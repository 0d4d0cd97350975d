"""What runs of heartbeats showed: checks of the ledger and the answers, costs and memory by stage."""

from benchmarks.heartbeat_run import Run
from benchmarks.parts.installation import GENERATOR, STAGES
from benchmarks.report.result import Check, Figure


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
