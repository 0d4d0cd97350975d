"""`muster up` as a person uses it: it starts all, mends what dies, stops all, and goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from local.free_ports import free_ports
from tests.cli.muster import PROJECT, command, environment
from tests.conftest import CACHE

pytestmark = pytest.mark.timeout(300)


class RunningMuster:
    """One `muster up` with what it has said so far."""

    def __init__(self, data: Path, processes: int = 1) -> None:
        http, kafka, clickhouse, commands, heartbeats = free_ports(5, consecutive=2)
        self.url = f"http://127.0.0.1:{http}"
        self._output = data.with_suffix(".out")
        self._environ = environment(
            DATA=data,
            CACHE=CACHE,
            HTTP_PORT=http,
            HTTP_PROCESSES=processes,
            KAFKA_PORT=kafka,
            CLICKHOUSE_PORT=clickhouse,
            STREAMS_COMMANDS_METRICS_PORT=commands,
            STREAMS_HEARTBEATS_METRICS_PORT=heartbeats,
        )

    def start(self) -> None:
        """Start it and wait until it said that it is ready."""
        with self._output.open("wb") as output:
            self.process = psutil.Popen(
                command("up"), cwd=PROJECT, env=self._environ, stdout=output, stderr=subprocess.STDOUT
            )
        self.wait_for("Ready; Ctrl-C stops all of it", within_s=200)

    def wait_for(self, words: str, within_s: float = 40) -> None:
        """Wait until it said something."""
        deadline = time.monotonic() + within_s
        while words not in self.said():
            assert time.monotonic() < deadline, self.said()
            assert self.process.poll() is None, self.said()
            time.sleep(0.05)

    def said(self) -> str:
        """All it said since its last start."""
        return self._output.read_text()

    def children(self) -> dict[str, psutil.Process]:
        """Its children, by what they run."""
        return {_what(child): child for child in self.process.children()}

    def press_ctrl_c(self) -> list[psutil.Process]:
        """Those of its processes that still run 10 s later."""
        family = [self.process, *self.process.children(recursive=True)]
        self.process.send_signal(signal.SIGINT)
        return psutil.wait_procs(family, timeout=10)[1]


def _what(child: psutil.Process) -> str:
    line = " ".join(child.cmdline())
    return next(name for name in ("kafka.Kafka", "local.clickhouse", "streams ", "api") if name in line) + str(
        line.rpartition(" ")[2] if "streams " in line else ""
    )


@pytest.fixture
def muster(tmp_path: Path) -> Iterator[RunningMuster]:
    """A Muster of the test's own, ended after it."""
    muster = RunningMuster(tmp_path / "data", processes=2)
    yield muster
    if muster.process.poll() is None:
        muster.process.kill()
        muster.process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_up_starts_mends_stops_and_goes_on(muster: RunningMuster) -> None:
    """One run through all of it, since each start takes seconds."""
    muster.start()
    assert httpx.get(f"{muster.url}/health/ready").status_code == httpx.codes.OK
    assert ".venv/bin/muster simulate" in muster.said()
    for name in ("commands", "heartbeats"):
        assert f"{name} is ready after" in muster.said()

    # Killed children come back.
    children = muster.children()
    for name in ("local.clickhouse", "kafka.Kafka"):
        children[name].kill()
    muster.wait_for("clickhouse is ready again")
    muster.wait_for("kafka is ready again")
    assert "kafka died (killed by SIGKILL" in muster.said()

    # Ctrl-C leaves nothing, and the next start downloads and makes nothing again.
    assert muster.press_ctrl_c() == []
    assert muster.process.returncode == 0
    # In between it says what it had to kill, which a busy machine may make it do.
    assert "\nstopping\n" in muster.said()
    assert muster.said().endswith("\nstopped\n")
    muster.start()
    assert "everything was set up already" in muster.said()
    assert "download" not in muster.said()

    # Not even a killed `muster up` leaves anything that would be in the way of the next.
    family = muster.process.children(recursive=True)
    muster.process.kill()
    assert psutil.wait_procs([muster.process, *family], timeout=10)[1] == []
    muster.start()
    os.kill(muster.process.pid, signal.SIGTERM)
    assert muster.process.wait(10) == 0
