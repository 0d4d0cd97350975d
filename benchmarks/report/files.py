"""Where results are kept: `DATE-NAME.json`, `.md` and one SVG a plot; a later run of the same day replaces them."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.report.markdown import page
from benchmarks.report.plots import draw
from benchmarks.report.result import Result

RESULTS: Final = Path(__file__).parents[1] / "results"


def write(result: Result, folder: Path) -> Path:
    """Write all files of a result; the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{result.began_at:%Y-%m-%d}-{result.name}"
    plot_files = draw(result, folder, stem)
    encoded = msgspec.json.encode(result)
    (folder / f"{stem}.json").write_bytes(msgspec.json.format(encoded, indent=1) + b"\n")
    path = folder / f"{stem}.md"
    path.write_text(page(result, plot_files))
    return path


def newest(
    name: str, folder: Path = RESULTS, is_wanted: Callable[[Result], bool] = lambda _result: True
) -> Result | None:
    """The last result of a benchmark in a folder, of those that are wanted."""
    files = sorted(folder.glob(f"????-??-??-{name}.json"), reverse=True)
    results = (msgspec.json.decode(file.read_bytes(), type=Result) for file in files)
    return next(filter(is_wanted, results), None)
