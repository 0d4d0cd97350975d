"""Plots of a result as SVG files."""

from pathlib import Path

from benchmarks.report.result import Plot, Result

_SIZE_INCHES = (8, 4)


def draw(result: Result, folder: Path, stem: str) -> dict[str, str]:
    """Draw every plot; file names by plot's name. None when matplotlib is not installed (`make bench` does)."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an extra: figures are written without it
    except ImportError:
        return {}
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "muster"
    return {plot.name: _draw(plot, folder, f"{stem}-{plot.name}.svg") for plot in result.plots if plot.lines}


def _draw(plot: Plot, folder: Path, name: str) -> str:
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    axes = figure.subplots()
    for line in plot.lines:
        axes.plot(line.xs, line.ys, label=line.name, linewidth=1.2, marker="o" if plot.is_logarithmic else None)
    if plot.is_logarithmic:
        axes.set_xscale("log")
    axes.set_title(plot.title)
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.3)
    if len(plot.lines) > 1:
        axes.legend(fontsize="small")
    figure.savefig(folder / name, metadata={"Date": None})
    return name
