"""The schema made for real: two engines, a real ZooKeeper, and the tables of one joined by those of the other."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.free_ports import free_port
from tests.zookeeper import ZooKeeper

PROJECT = Path(__file__).parents[2]


def _set_up(folder: Path, replica: str, port: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.storage.replica_child", str(folder), replica, str(port)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_the_tables_of_a_second_replica_join_those_of_the_first(tmp_path: Path) -> None:
    """Every statement is taken by the engine, every table is replicated, and each has the same place in Keeper."""
    port = free_port()
    (tmp_path / "zookeeper").mkdir()
    with ZooKeeper(tmp_path / "zookeeper", port):
        first = _set_up(tmp_path, "one", port)
        second = _set_up(tmp_path, "two", port)
    for told in (first, second):
        assert told["failed"] == []
        assert told["plain"] == []
    assert len(first["replicas"]) > 10
    assert set(first["replicas"].values()) == {1}
    assert second["replicas"] == dict.fromkeys(first["replicas"], 2)
