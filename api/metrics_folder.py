"""The folder in which API processes keep their metrics, so that any of them can sum them up.

Imported before anything that imports prometheus-client, which looks at the environment once.
"""

import contextlib
import os
import re
from pathlib import Path

import psutil

_OF_PROCESS = re.compile(r".*_(\d+)\.db")


def share_metrics(folder: Path) -> None:
    """Keep this process's metrics in the folder, and remove those of processes that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        found = _OF_PROCESS.fullmatch(file.name)
        if found and not psutil.pid_exists(int(found[1])):
            # Another process that starts now may have removed it first.
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
