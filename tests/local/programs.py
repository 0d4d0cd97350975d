"""Small real programs to supervise."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from local.child import Program, at_once


def python_program(
    folder: Path, name: str, code: str, is_ready: Callable[[], bool] = at_once, stop_within_s: float = 2.0
) -> Program:
    """A program that runs this Python code; its log is `folder/NAME.log`."""
    argv = [sys.executable, "-I", "-c", code]
    return Program(name, argv, dict(os.environ), folder / f"{name}.log", is_ready, stop_within_s=stop_within_s)


STAYS = "import time\nprint('up', flush=True)\ntime.sleep(120)"
"""Runs until it is stopped."""

IGNORES_SIGTERM = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{STAYS}"
"""Must be killed."""
