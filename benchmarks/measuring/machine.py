"""Where a benchmark ran, and with what: a figure without them cannot be compared with anything."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import psutil

from benchmarks.load.wrk import wrk_version

_PACKAGES: Final = (
    "muster",
    "aiokafka",
    "chdb",
    "clickhouse-connect",
    "faust-streaming",
    "granian",
    "litestar",
    "msgspec",
    "orjson",
    "uvicorn",
    "uvloop",
)


def machine() -> dict[str, str]:
    """Processor, cores, memory, system, and what was running before."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / (1 << 30):.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def versions() -> dict[str, str]:
    """Of Muster's source, Python, the load generator and the packages that matter to speed."""
    found = {"source": _commit(), "python": platform.python_version(), "load generator": wrk_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _commit() -> str:
    folder = Path(__file__).parent
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=10"],  # noqa: S607 - the developer's own git
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return told.stdout.strip() or "unknown"
