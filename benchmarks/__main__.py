"""`python -m benchmarks NAME…`: run benchmarks one after the other, and write what they find.

The exit status is 1 when a result was wrong, however fast it came.
"""

import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import App, Parameter
from rich.console import Console

from benchmarks.errors import BenchmarkError
from benchmarks.load.wrk import require_wrk
from benchmarks.report.files import RESULTS, write
from benchmarks.report.markdown import page
from benchmarks.running import NAMES, run_benchmark
from benchmarks.scale import FULL, QUICK, STANDARD, Workplace

_TERMINATED: Final = 128 + signal.SIGTERM

app = App(name="python -m benchmarks", help="Ask the real parts how fast they are.", version_flags=[])


@app.default
def run(
    *names: str,
    quick: Annotated[bool, Parameter(negative=())] = False,
    full: Annotated[bool, Parameter(negative=())] = False,
    devices: int | None = None,
    seconds: float | None = None,
    repeats: int | None = None,
    connections: int | None = None,
    api_processes: int | None = None,
    seed: int | None = None,
    rate: float | None = None,
    output: Path | None = None,
    seeds: Path | None = None,
    setting: Annotated[tuple[str, ...], Parameter(negative=())] = (),
) -> int:
    """Run the benchmarks named, or all of them.

    Parameters
    ----------
    names
        Which; all unless given.
    quick
        Seconds and few devices, to see that it works: figures mean nothing.
    full
        A million devices, five minutes.
    devices
        Devices of the fleet, instead of the scale's.
    seconds
        Length of a measured load.
    repeats
        How often it is measured.
    connections
        Connections at a time.
    api_processes
        API processes that share the port.
    seed
        Decides the contents.
    rate
        Heartbeats a second to hold (heartbeats), instead of the highest that a search finds.
    output
        Folder of the results; benchmarks/results unless given, a temporary one with --quick.
    seeds
        A folder in which installations with registered fleets are kept: storing a million devices takes minutes.
    setting
        `NAME=VALUE` for the installations measured, the name without `MUSTER_`; may be given again.
    """
    console = Console(highlight=False, soft_wrap=True)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        console.print(f"there is no benchmark {unknown[0]}: {', '.join(NAMES)}")
        return 2
    chosen = {
        "devices": devices,
        "seconds": seconds,
        "repeats": repeats,
        "connections": connections,
        "api_processes": api_processes,
        "seed": seed,
        "rate": rate,
    }
    scale = msgspec.structs.replace(
        QUICK if quick else FULL if full else STANDARD,
        **{name: value for name, value in chosen.items() if value is not None},
    )
    folder = output or (Path(tempfile.mkdtemp(prefix="benchmarks-")) if quick else RESULTS)
    try:
        require_wrk()
        with tempfile.TemporaryDirectory(prefix="muster-benchmark-") as scratch:
            workplace = Workplace(
                Path(scratch), scale, quick, seeds, folder, dict(each.split("=", 1) for each in setting)
            )
            return max(_run(name, workplace, folder, console) for name in names or NAMES)
    except BenchmarkError as error:
        console.print(str(error))
        return 1


def _run(name: str, workplace: Workplace, output: Path, console: Console) -> int:
    result = run_benchmark(name, workplace, lambda line: console.print(f"  {line}"))
    path = write(result, output)
    console.print(page(result, {}))
    console.print(f"written to {path}")
    return 0 if result.is_right else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    # So that whoever ends it leaves nothing behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    return app(arguments, result_action="print_non_int_return_int_as_exit_code") or 0


if __name__ == "__main__":
    sys.exit(main())
