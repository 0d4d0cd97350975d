"""What a run says at its end: counts and latencies per call, what the server refused, and the ledger's verdict."""

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.simulate.ledger import Verdict
from cli.simulate.measurements import Durations, Measurements
from cli.simulate.positions import AcknowledgedPositions

_QUANTILES = ((0.5, "p50 ms"), (0.9, "p90 ms"), (0.99, "p99 ms"))
_OVERLOADED_S = 0.5
"""Calls begun later than this at p99 mean that the simulator measured itself."""


def print_summary(
    console: Console, address: str, measurements: Measurements, acknowledged: AcknowledgedPositions, verdict: Verdict
) -> None:
    """Print it all; plain text where the console is no terminal. `address` is where the devices called."""
    console.print(_calls(address, measurements))
    console.print(Group(*_notes(measurements)))
    console.print(Group(*_ledger(acknowledged, verdict)))


def is_good(acknowledged: AcknowledgedPositions, verdict: Verdict) -> bool:
    """Whether everything acknowledged was looked for and found exactly once."""
    return verdict.is_clean and not acknowledged.without_position


def _calls(address: str, measurements: Measurements) -> Table:
    table = Table(title=f"Calls to {address}", title_justify="left")
    table.add_column("call", no_wrap=True)
    table.add_column("answers")
    for _, heading in _QUANTILES:
        table.add_column(heading, justify="right")
    table.add_column("max ms", justify="right")
    for call in sorted({call for call, _ in measurements.answers}):
        outcomes = sorted((what, count) for (of, what), count in measurements.answers.items() if of == call)
        answers = ", ".join(f"{what}: {count:,}" for what, count in outcomes)
        table.add_row(call, answers, *_times(measurements.latencies.get(call)))
    return table


def _times(durations: Durations | None) -> list[str]:
    if durations is None:
        return ["-"] * (len(_QUANTILES) + 1)
    times_s = [durations.quantile_s(share) for share, _ in _QUANTILES]
    return [f"{time_s * 1000:,.1f}" for time_s in (*times_s, durations.longest_s)]


def _notes(measurements: Measurements) -> list[RenderableType]:
    retried, abandoned = measurements.retried_heartbeats, measurements.abandoned_heartbeats
    lines = [f"heartbeats tried again: {retried:,}, given up: {abandoned:,}"]
    lines += [f"{call}: {message}" for call, message in sorted(measurements.refusals.items())]
    late_s = measurements.lateness.quantile_s(0.99)
    if late_s > _OVERLOADED_S:
        lines.append(
            f"this machine was too busy to play the fleet: calls began {late_s:.1f} s late (p99); "
            "the latencies above are partly the simulator's own"
        )
    return [Text(line) for line in lines]


def _ledger(acknowledged: AcknowledgedPositions, verdict: Verdict) -> list[RenderableType]:
    wrong = [
        (verdict.missing, "not found"),
        (verdict.doubled, "found more than once"),
        (verdict.misplaced, "found under another device, or acknowledged twice"),
        (verdict.unread, "not looked for, ClickHouse did not answer"),
        (acknowledged.without_position, "acknowledged without a readable Muster-Position header"),
        (acknowledged.beyond_limit, "beyond what this run keeps, not looked for"),
    ]
    style = "green" if is_good(acknowledged, verdict) else "bold red"
    lines = [
        Text(
            f"ledger: {verdict.found_once:,} of {verdict.looked_for:,} acknowledged heartbeats found exactly once",
            style=style,
        )
    ]
    lines += [Text(f"ledger: {count:,} {what}") for count, what in wrong if count]
    lines += [Text(f"  {example}") for example in verdict.examples]
    if verdict.stored_unacknowledged:
        lines.append(Text(f"stored though not acknowledged (no fault): {verdict.stored_unacknowledged:,}"))
    return list(lines)
