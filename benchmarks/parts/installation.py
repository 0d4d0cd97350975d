"""A Muster of the benchmark's own: `muster up` on free ports and a temporary folder, as a user would start it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil
from clickhouse_connect.driver import Client

from benchmarks.errors import BenchmarkError
from local.free_ports import free_ports
from settings import Settings, load
from settings.keys import read_password
from storage.client import connect

_READY_WITHIN_S: Final = 600.0
"""With a million devices the first load takes a while."""

_STOP_WITHIN_S: Final = 15.0
_SEED_WITHIN_S: Final = 900.0
_CHECKOUT: Final = Path(__file__).parents[2]
_TETHER: Final = _CHECKOUT / "local" / "tether.py"
"""Ties `muster up` to the life of the benchmark, as its children are tied to its own."""
_LAST_LINES: Final = 15

_STAGES: Final = (
    ("kafka.Kafka", "broker"),
    ("local.clickhouse", "clickhouse"),
    ("streams heartbeats", "heartbeat worker"),
    ("streams commands", "command worker"),
    ("-m api", "api"),
)
"""Part of a child's command line, and the stage of the pipeline that it is."""

STAGES: Final = tuple(stage for _, stage in _STAGES)

GENERATOR: Final = "load generator"
"""What stands beside the stages of the pipeline: its part of the machine is told with theirs."""


class Installation:
    """Started on entering, stopped on leaving; between, `restart` starts all of it anew on the same data.

    `settings` are further `MUSTER_*` variables without the prefix.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        (kafka,) = free_ports(1, consecutive=2)
        http, clickhouse, heartbeats_metrics, commands_metrics = free_ports(4)
        chosen = {
            "DATA": str(folder / "data"),
            "HTTP_PORT": str(http),
            "KAFKA_PORT": str(kafka),
            "CLICKHOUSE_PORT": str(clickhouse),
            "STREAMS_HEARTBEATS_METRICS_PORT": str(heartbeats_metrics),
            "STREAMS_COMMANDS_METRICS_PORT": str(commands_metrics),
            **(settings or {}),
        }
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("MUSTER_") or name == "MUSTER_CACHE"
        }
        self._environ = {**inherited, **{f"MUSTER_{name}": value for name, value in chosen.items()}}
        self.chosen = {f"MUSTER_{name}": value for name, value in (settings or {}).items()}
        self.settings: Settings = load(self._environ)
        self.folder = folder
        self.ready_after_s = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environ(self) -> dict[str, str]:
        """The environment of its parts, for one more."""
        return dict(self._environ)

    @property
    def address(self) -> str:
        """URL of the API."""
        return f"http://127.0.0.1:{self.settings.http.port}"

    def seed(self, devices: int, seed: int) -> None:
        """Store a registered fleet; before the first start. Takes minutes for a million."""
        self.folder.mkdir(parents=True, exist_ok=True)
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.fleet_seed", f"--devices={devices}", f"--seed={seed}"],
            cwd=_CHECKOUT,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=_SEED_WITHIN_S,
            check=False,
        )
        if told.returncode:
            raise BenchmarkError(f"the fleet could not be stored:\n{told.stdout[-2000:]}{told.stderr[-2000:]}")

    def start(self) -> None:
        """Start all parts and wait until they are ready. Raises BenchmarkError with their last words."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "up.log"
        began = time.monotonic()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    str(_TETHER),
                    str(os.getpid()),
                    "0",
                    sys.executable,
                    "-P",
                    "-m",
                    "cli",
                    "up",
                ],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while b"Ready; Ctrl-C" not in log.read_bytes():
            if self._process.poll() is not None or time.monotonic() - began > _READY_WITHIN_S:
                self.stop()
                last = "\n  ".join(log.read_text().splitlines()[-_LAST_LINES:])
                raise BenchmarkError(f"`muster up` is not ready after {time.monotonic() - began:.0f} s:\n  {last}")
            time.sleep(0.1)
        self.ready_after_s = time.monotonic() - began

    def stop(self) -> None:
        """Stop all parts; what does not stop is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        if "client" in self.__dict__:
            self.client.close()
            del self.client
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            # Its children are tied to its life, so none outlives it.
            process.kill()
            process.wait()

    def restart(self) -> None:
        """Stop and start again."""
        self.stop()
        self.start()

    @cached_property
    def client(self) -> Client:
        """A connection to ClickHouse as the database's owner."""
        return connect(self.settings.clickhouse, read_password(self.settings.clickhouse_password_file))

    def query(self, query: str, **parameters: object) -> list[tuple[object, ...]]:
        """Rows of one query."""
        return [tuple(row) for row in self.client.query(query, parameters=parameters).result_rows]

    def processes(self) -> dict[str, list[psutil.Process]]:
        """The running processes by stage; "other" for `muster up` itself and what is not known."""
        if self._process is None:
            return {}
        found: dict[str, list[psutil.Process]] = {"other": [psutil.Process(self._process.pid)]}
        for child in psutil.Process(self._process.pid).children(recursive=True):
            try:
                line = " ".join(child.cmdline())
            except psutil.Error:
                continue
            stage = next((stage for part, stage in _STAGES if part in line), "other")
            found.setdefault(stage, []).append(child)
        return found

    def health(self) -> dict[str, object]:
        """What one API process says of itself."""
        with urllib.request.urlopen(f"{self.address}/health/ready", timeout=5) as answer:  # noqa: S310 - ours
            health: dict[str, object] = json.load(answer)
            return health

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
