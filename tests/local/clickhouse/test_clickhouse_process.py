"""The endpoint as a process: one to a folder, stopped quickly, killed without loss."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from local.clickhouse.process import ClickHouseEndpoint
from local.errors import LocalError
from local.free_ports import free_port
from tests.local.clickhouse.conftest import PASSWORDS, write_keys
from tests.waiting import eventually

AUTH = ("muster", PASSWORDS["muster"])


@pytest.fixture
def own(tmp_path: Path) -> ClickHouseEndpoint:
    """An endpoint that is not started yet."""
    return ClickHouseEndpoint(tmp_path / "data", write_keys(tmp_path / "keys"), free_port())


def ask(endpoint: ClickHouseEndpoint, statement: str) -> str:
    """The owner's question."""
    answer = httpx.post(endpoint.address, content=statement, auth=AUTH, timeout=30)
    answer.raise_for_status()
    return answer.text


@pytest.mark.parametrize("round_number", range(3))
def test_killed_in_the_middle_of_inserts_it_keeps_what_it_acknowledged(
    own: ClickHouseEndpoint, round_number: int
) -> None:
    """Every acknowledged row is there after a restart, and none twice."""
    acknowledged: list[int] = []
    with own:
        ask(own, "CREATE DATABASE muster")
        ask(own, "CREATE TABLE muster.beats (x UInt64, y String) ENGINE = MergeTree ORDER BY x")

        def insert(worker: int) -> None:
            with httpx.Client(base_url=own.address, auth=AUTH) as client:
                for batch in range(10_000):
                    first = (worker * 10_000 + batch) * 1000
                    rows = "".join(f"{first + row}\t{'x' * 50}\n" for row in range(1000))
                    url = {"query": "INSERT INTO muster.beats FORMAT TSV"}
                    try:
                        client.post("/", params=url, content=rows).raise_for_status()
                    except httpx.TransportError:
                        return
                    acknowledged.append(first)

        workers = [threading.Thread(target=insert, args=(worker,)) for worker in range(3)]
        for worker in workers:
            worker.start()
        time.sleep(0.7 + 0.13 * round_number)
        own.kill()
        for worker in workers:
            worker.join()
    assert acknowledged
    with own:
        listed = ", ".join(map(str, acknowledged))
        query = f"SELECT count(), uniqExact(x) FROM muster.beats WHERE intDiv(x, 1000) * 1000 IN ({listed})"
        expected = len(acknowledged) * 1000
        assert ask(own, query) == f"{expected}\t{expected}\n"


def test_sigterm_ends_it_within_seconds_whatever_runs(own: ClickHouseEndpoint, tmp_path: Path) -> None:
    """Endless queries are cancelled, what was inserted is there."""
    own.start()
    ask(own, "CREATE DATABASE muster")
    ask(own, "CREATE TABLE muster.beats (x UInt64) ENGINE = MergeTree ORDER BY x")
    ask(own, "INSERT INTO muster.beats SELECT number FROM numbers(100000)")

    def hold() -> None:
        with contextlib.suppress(httpx.HTTPError):
            ask(own, "SELECT count() FROM numbers(1000000000000000)")

    holders = [threading.Thread(target=hold) for _ in range(3)]
    for holder in holders:
        holder.start()
    time.sleep(0.5)
    began = time.monotonic()
    os.kill(own.pid, signal.SIGTERM)
    own.stop(within_s=10)
    assert time.monotonic() - began < 3
    assert '"event": "stopped"' in (tmp_path / "data" / "clickhouse.log").read_text()
    for holder in holders:
        holder.join()
    with own:
        assert ask(own, "SELECT count() FROM muster.beats") == "100000\n"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads have a niceness of their own on Linux alone")
async def test_merges_stand_back_behind_inserts(own: ClickHouseEndpoint) -> None:
    """The threads that merge, and no others, by nine steps."""

    def steps() -> dict[bool, set[int]]:
        found: dict[bool, set[int]] = {True: set(), False: set()}
        base = os.getpriority(os.PRIO_PROCESS, own.pid)
        for task in Path(f"/proc/{own.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                is_merging = (task / "comm").read_text().strip() == "MergeMutate"
                found[is_merging].add(os.getpriority(os.PRIO_PROCESS, int(task.name)) - base)
        return found

    with own:
        ask(own, "CREATE DATABASE muster")
        ask(own, "CREATE TABLE muster.beats (x UInt64) ENGINE = MergeTree ORDER BY x")
        for row in range(2):
            ask(own, f"INSERT INTO muster.beats VALUES ({row})")
        ask(own, "OPTIMIZE TABLE muster.beats FINAL")
        await eventually(lambda: steps()[True] == {9}, 15)
        assert 9 not in steps()[False]


def test_folder_belongs_to_one_process(own: ClickHouseEndpoint, tmp_path: Path) -> None:
    """The second says who has it, and what to set."""
    with own:
        second = ClickHouseEndpoint(tmp_path / "data", tmp_path / "keys", free_port())
        with pytest.raises(LocalError, match=r"another ClickHouse endpoint \(pid \d+\).*MUSTER_DATA"):
            second.start()
        assert ask(own, "SELECT 1") == "1\n"


def test_port_in_use_is_said(own: ClickHouseEndpoint, tmp_path: Path) -> None:
    """By whoever starts it and by itself, naming the setting."""
    with own:
        second = ClickHouseEndpoint(tmp_path / "other", tmp_path / "keys", own.port)
        with pytest.raises(LocalError, match="set MUSTER_CLICKHOUSE_PORT"):
            second.start()
        environ = {**os.environ, "MUSTER_DATA": str(tmp_path / "other"), "MUSTER_CLICKHOUSE_PORT": str(own.port)}
        command = [sys.executable, "-m", "local.clickhouse"]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "set MUSTER_CLICKHOUSE_PORT" in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_keys_nobody_is_let_in(tmp_path: Path) -> None:
    """Rather than anybody; keys made later hold at once."""
    with ClickHouseEndpoint(tmp_path / "data", tmp_path / "keys", free_port()) as endpoint:
        for password in ("", "\0", "None"):
            url = {"query": "SELECT 1", "user": "muster", "password": password}
            assert httpx.get(endpoint.address, params=url).status_code == 403
        write_keys(tmp_path / "keys")
        assert ask(endpoint, "SELECT 1") == "1\n"


def test_passwords_are_not_logged(own: ClickHouseEndpoint, tmp_path: Path) -> None:
    """However they were sent."""
    with own:
        ask(own, "SELECT 1")
        httpx.get(own.address, params={"user": "muster", "password": "guess-4711", "query": "SELECT"})
        httpx.get(own.address, params={"user": "muster", "password": PASSWORDS["muster"], "query": "SELECT"})
    log = (tmp_path / "data" / "clickhouse.log").read_text()
    assert "answering" in log
    assert "guess-4711" not in log
    assert PASSWORDS["muster"] not in log
