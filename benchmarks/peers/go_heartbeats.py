"""Builds and runs the Go service in `go/`: `python -m benchmarks.peers.go_heartbeats`, with its own options.

Go must be installed; the modules are pinned by `go.sum` and come through Go's own module proxy the first time.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.errors import BenchmarkError

_SOURCE: Final = Path(__file__).parent / "go"
_BUILD_WITHIN_S: Final = 300


def build(folder: Path) -> Path:
    """The program, made in the folder. Raises BenchmarkError when there is no Go, or it fails."""
    go = shutil.which("go")
    if go is None:
        raise BenchmarkError("the Go peer needs Go (Debian: golang-go) to be built")
    program = folder / "go-heartbeats"
    argv = [go, "build", "-C", str(_SOURCE), "-o", str(program), "."]
    built = subprocess.run(argv, capture_output=True, text=True, timeout=_BUILD_WITHIN_S, check=False)
    if built.returncode:
        raise BenchmarkError(f"the Go peer cannot be built:\n{built.stderr}")
    return program


def main(argv: Sequence[str]) -> None:
    """Become the service; a broken build ends with its message."""
    folder = Path(tempfile.gettempdir()) / "muster-benchmarks"
    folder.mkdir(exist_ok=True)
    try:
        program = build(folder)
    except BenchmarkError as error:
        sys.exit(str(error))
    os.execv(program, [str(program), *argv])  # noqa: S606 - the service, with its options


if __name__ == "__main__":
    main(sys.argv[1:])
