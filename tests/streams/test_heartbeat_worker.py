"""The heartbeat worker as a process on a real broker and engine: killed anywhere, it shows each heartbeat once."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from clickhouse_connect.driver import Client

from settings import Settings
from tests.streams.heartbeat_ledger import expected_views
from tests.streams.heartbeat_scenario import Scenario
from tests.streams.heartbeat_topic import HeartbeatTopicUser
from tests.streams.heartbeat_views import shown
from tests.streams.killed_heartbeat_worker import KILLED
from tests.streams.test_heartbeat_writer import TABLES

ROOT = Path(__file__).parents[2]
REPEAT_WITHIN_MS = 400
"""Short, so that a test has repeats and heartbeats that are none without waiting long."""

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    """With a short time for repeats."""
    return {**environ, "MUSTER_STREAMS_REPEAT_WITHIN_MS": str(REPEAT_WITHIN_MS)}


@pytest.fixture
def start(environ: Mapping[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts a program as a worker of this test's installation; ends it afterwards and shows its words."""
    workers = []
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}

    def start(arguments: Sequence[str] = ("-m", "streams", "heartbeats"), **variables: str) -> subprocess.Popen[bytes]:
        with (tmp_path / f"worker-{len(workers)}.log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**inherited, **environ, "PYTHONPATH": str(ROOT), **variables},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        workers.append(worker)
        return worker

    yield start
    for number, worker in enumerate(workers):
        worker.kill()
        worker.wait()
        print((tmp_path / f"worker-{number}.log").read_text())  # noqa: T201 - pytest shows it with a failure


async def _send_rounds(user: HeartbeatTopicUser, scenario: Scenario, rounds: int) -> None:
    for _ in range(rounds):
        await user.send(scenario.beat())
        await asyncio.sleep(0.25)


async def _ended(worker: "subprocess.Popen[bytes]", within_s: float) -> int:
    return await asyncio.to_thread(worker.wait, within_s)


@pytest.mark.parametrize("table", TABLES)
async def test_killed_past_any_table_every_heartbeat_is_seen_exactly_once(
    settings: Settings, clickhouse: Client, start: Start, tmp_path: Path, table: str
) -> None:
    """Killed between two writes, or between the last and the commit: the next worker leaves what one would have."""
    async with HeartbeatTopicUser(settings) as user:
        scenario = Scenario(TABLES.index(table) + 10)
        sign = tmp_path / "die now"
        worker = start([str(ROOT / "tests/streams/killed_heartbeat_worker.py"), table, str(sign)])
        await _send_rounds(user, scenario, 2)
        await user.wait_until_committed()
        sign.touch()
        await _send_rounds(user, scenario, 3)
        assert await _ended(worker, 30) == KILLED
        await _send_rounds(user, scenario, 2)
        await user.declare_members_dead()
        start()
        await user.wait_until_committed()
        assert shown(clickhouse) == expected_views(user.taken, REPEAT_WITHIN_MS)
