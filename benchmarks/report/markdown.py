"""A result as a Markdown page."""

from collections.abc import Iterator

from benchmarks.report.result import Figure, Result


def page(result: Result, plot_files: dict[str, str]) -> str:
    """The page; `plot_files` are file names beside it, by plot's name."""
    return "\n".join(_lines(result, plot_files)) + "\n"


def shown(value: float) -> str:
    """Three significant digits, at least whole, with thousands apart."""
    if abs(value) >= 999.5:  # noqa: PLR2004 - what three digits round to thousands
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _lines(result: Result, plot_files: dict[str, str]) -> Iterator[str]:
    yield f"# {result.name}: {result.question}"
    yield ""
    yield f"{result.began_at:%Y-%m-%d %H:%M} UTC, {result.took_s:.0f} s, seed {result.seed}."
    yield ""
    yield "| check | | |"
    yield "| --- | --- | --- |"
    for check in result.checks:
        yield f"| {check.what} | {'good' if check.is_good else '**BAD**'} | {check.detail} |"
    yield ""
    yield "| figure | median | least to most | runs | unit | target |"
    yield "| --- | ---: | ---: | ---: | --- | --- |"
    for figure in result.figures:
        yield _row(figure)
    yield ""
    for plot in result.plots:
        if plot.name in plot_files:
            yield f"![{plot.title}]({plot_files[plot.name]})"
            yield ""
    for note in result.notes:
        yield f"- {note}"
    if result.notes:
        yield ""
    yield "| | |"
    yield "| --- | --- |"
    for title, pairs in (
        ("machine", result.machine),
        ("versions", result.versions),
        ("scale", {name: str(value) for name, value in result.scale.items()}),
        ("settings", result.settings or {"": "defaults"}),
    ):
        yield f"| {title} | {', '.join(f'{name} {value}'.strip() for name, value in pairs.items())} |"


def _row(figure: Figure) -> str:
    least, most = figure.spread
    spread = f"{shown(least)} to {shown(most)}" if len(figure.values) > 1 else ""
    cells = (figure.name, shown(figure.median), spread, str(len(figure.values)), figure.unit, figure.target)
    return f"| {' | '.join(cells)} |"
