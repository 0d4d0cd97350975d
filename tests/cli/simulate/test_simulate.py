"""`muster simulate` against a running installation."""

import re
import signal
import subprocess
import time
from pathlib import Path

from tests.cli.conftest import Served
from tests.cli.muster import PROJECT, command, environment

FOUND = re.compile(r"ledger: ([\d,]+) of ([\d,]+) acknowledged heartbeats found exactly once")


def test_fleet_is_played_and_everything_acknowledged_is_found(served: Served) -> None:
    """Devices enrol, are approved, register, poll and beat; the summary counts each call, and the status is 0."""
    done = served.muster(
        "simulate", "--devices", "12", "--period", "2", "--duration", "7", "--approve",
        "--namespace", "played", "--prefix", "played", "--seed", "3",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = FOUND.search(done.stdout)
    assert found is not None
    assert found[1] == found[2]
    assert int(found[1]) >= 12
    for call in (
        "POST namespace", "POST enrolment", "PATCH approval", "PUT registration", "GET registration",
        "GET configuration", "GET playbookexecutions", "PUT heartbeat",
    ):  # fmt: skip
        assert call in done.stdout
    assert "0/12 devices" in done.stderr


def test_fleet_waits_for_an_operator(served: Served) -> None:
    """Without --approve nothing is registered until somebody approves; nothing was acknowledged, so nothing is lost."""
    done = served.muster("simulate", "--devices", "2", "--period", "1", "--duration", "2", "--prefix", "waiting")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "201" in done.stdout
    assert "PUT registration" not in done.stdout
    assert "ledger: 0 of 0" in done.stdout


def test_interrupted_run_still_checks_its_ledger(served: Served, tmp_path: Path) -> None:
    """Ctrl-C ends the play, not the check."""
    variables = {name.removeprefix("MUSTER_"): value for name, value in served.variables.items()}
    arguments = ("simulate", "--devices", "4", "--period", "1", "--approve", "--prefix", "stopped")
    with (tmp_path / "out").open("wb") as output:
        process = subprocess.Popen(
            command(*arguments), cwd=PROJECT, env=environment(**variables), stdout=output, stderr=output
        )
        time.sleep(6)
        process.send_signal(signal.SIGINT)
        status = process.wait(timeout=60)
    text = (tmp_path / "out").read_text()
    assert status == 0, text
    found = FOUND.search(text)
    assert found is not None
    assert int(found[1]) > 0


def test_run_without_a_database_is_refused_before_the_first_call(served: Served) -> None:
    """There would be nothing to compare with; one line says what to start."""
    variables = served.variables | {"MUSTER_CLICKHOUSE_PORT": "1"}
    done = Served(variables).muster("simulate", "--devices", "1")
    assert done.returncode == 1
    assert "ClickHouse at http://127.0.0.1:1 does not answer (connection refused)" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
