"""The heartbeat worker killed between any two of its writes: each heartbeat is seen exactly once all the same."""

import asyncio
from pathlib import Path

import pytest
from clickhouse_connect.driver import Client

from settings import Settings
from tests.streams.conftest import REPEAT_WITHIN_MS, ROOT, Start
from tests.streams.heartbeats.heartbeat_ledger import expected_views
from tests.streams.heartbeats.heartbeat_scenario import Scenario
from tests.streams.heartbeats.heartbeat_topic import HeartbeatTopicUser
from tests.streams.heartbeats.heartbeat_views import shown
from tests.streams.heartbeats.killed_heartbeat_worker import KILLED
from tests.streams.heartbeats.test_writer import TABLES

KILLED_WORKER = str(ROOT / "tests/streams/heartbeats/killed_heartbeat_worker.py")


async def _send_rounds(user: HeartbeatTopicUser, scenario: Scenario, rounds: int) -> None:
    for _ in range(rounds):
        await user.send(scenario.beat())
        await asyncio.sleep(0.25)


@pytest.mark.parametrize("table", TABLES)
async def test_killed_past_any_table_every_heartbeat_is_seen_exactly_once(
    settings: Settings, clickhouse: Client, start: Start, tmp_path: Path, table: str
) -> None:
    """Killed between two writes, or between the last and the commit: the next worker leaves what one would have."""
    async with HeartbeatTopicUser(settings) as user:
        scenario = Scenario(TABLES.index(table) + 10)
        sign = tmp_path / "die now"
        worker = start([KILLED_WORKER, table, str(sign)])
        await _send_rounds(user, scenario, 2)
        await user.wait_until_committed()
        sign.touch()
        await _send_rounds(user, scenario, 3)
        assert await asyncio.to_thread(worker.wait, 30) == KILLED
        await _send_rounds(user, scenario, 2)
        await user.declare_members_dead()
        start()
        await user.wait_until_committed()
        assert shown(clickhouse) == expected_views(user.taken, REPEAT_WITHIN_MS)
