"""The `muster` command as a person runs it, with nothing of the tester's own environment in its settings."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def command(*arguments: str) -> list[str]:
    """How to call it from a test."""
    return [sys.executable, "-m", "cli", *arguments]


def environment(**settings: object) -> dict[str, str]:
    """The tester's environment with these `MUSTER_*` variables and no others."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    return {**plain, "COLUMNS": "200"} | {f"MUSTER_{name}": str(value) for name, value in settings.items()}


def run(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run it to its end, which must come within a minute."""
    return subprocess.run(
        command(*arguments),
        cwd=PROJECT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
