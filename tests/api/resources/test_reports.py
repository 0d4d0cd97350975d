"""Followers of devices hear which of them report something else, from one look for all of them."""

import asyncio
from collections.abc import Callable

import pytest

from api.resources.watches import reports as module
from api.resources.watches.reports import Reports
from storage.device_changes import CHANGES_LIMIT, ChangedDevice


class Table:
    """What is stored, and what was asked."""

    def __init__(self) -> None:
        self.rows: list[ChangedDevice] = []
        self.asked: list[int] = []
        self.is_away = False

    def latest_ms(self) -> int:
        """As ClickHouse tells it."""
        if self.is_away:
            raise OSError("away")
        return max((row.received_at_ms for row in self.rows), default=0)

    def changed_since(self, since_ms: int) -> list[ChangedDevice]:
        """As ClickHouse tells it."""
        self.asked.append(since_ms)
        return sorted((row for row in self.rows if row.received_at_ms > since_ms), key=lambda row: row.received_at_ms)

    def report(self, name: str, sequence: int, received_at_ms: int) -> None:
        """A device says something else."""
        self.rows = [row for row in self.rows if row.key[1] != name]
        self.rows.append(ChangedDevice(("default", name), sequence, received_at_ms))


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    """Asked without pause."""
    monkeypatch.setattr(module, "ASKED_EVERY_S", 0)
    return Table()


async def until_looked(table: Table) -> None:
    """Two further looks have begun, so that one is done."""
    seen = len(table.asked)
    async with asyncio.timeout(20):
        while len(table.asked) < seen + 2:  # noqa: ASYNC110 - the table is asked in threads, and has no event
            await asyncio.sleep(0)


def follow(table: Table, scenario: Callable[[Reports, int], object]) -> int:
    """Run a scenario for one follower; how often followers were woken."""
    woken: list[None] = []

    async def run() -> None:
        reports = Reports(table, lambda: woken.append(None), lambda: 0.0)
        with reports.followed() as place:
            await scenario(reports, place)  # type: ignore[misc]

    asyncio.run(run())
    return len(woken)


def test_each_change_is_told_once(table: Table) -> None:
    """Those of a moment before as well, since the follower listed devices then; others not."""
    table.report("old", 1, 1_000)
    table.report("recent", 2, 999_000)
    table.report("newest", 3, 1_000_000)

    async def scenario(reports: Reports, place: int) -> None:
        await until_looked(table)
        keys, place = reports.read(place)
        assert [name for _, name in keys] == ["recent", "newest"]
        await until_looked(table)
        assert not reports.has_more(place)
        table.report("recent", 4, 1_001_000)
        await until_looked(table)
        keys, place = reports.read(place)
        assert [name for _, name in keys] == ["recent"]
        # Written late, by a slower worker.
        table.report("slow", 5, 960_000)
        await until_looked(table)
        assert [name for _, name in reports.read(place)[0]] == ["slow"] or table.asked[-1] > 960_000

    assert follow(table, scenario) >= 2


def test_a_database_that_is_away_is_asked_again(table: Table) -> None:
    """And its changes are told then."""
    table.is_away = True

    async def scenario(reports: Reports, place: int) -> None:
        await asyncio.sleep(0.05)
        assert not reports.has_more(place)
        table.is_away = False
        table.report("d", 1, 5)
        await until_looked(table)
        assert reports.read(place)[0] == [("default", "d")]

    follow(table, scenario)


def test_a_storm_does_not_stop_at_its_first_look(table: Table) -> None:
    """A look that is full goes on behind its last row."""
    table.report("first", 0, 10)

    async def scenario(reports: Reports, place: int) -> None:
        await until_looked(table)
        for number in range(CHANGES_LIMIT):
            table.rows.append(ChangedDevice(("default", f"d{number}"), number, 100_000 + number))
        await until_looked(table)
        await until_looked(table)
        assert reports.has_more(place)
        assert table.asked[-1] == 100_000 + CHANGES_LIMIT - 1

    follow(table, scenario)


def test_nobody_follows_nobody_asks(table: Table) -> None:
    """The last follower ends it."""

    async def scenario(_: Reports, __: int) -> None:
        await until_looked(table)

    follow(table, scenario)
    asked = len(table.asked)

    async def idle() -> None:
        reports = Reports(table, lambda: None, lambda: 0.0)
        with reports.followed(), reports.followed():
            pass
        await asyncio.sleep(0.05)

    asyncio.run(idle())
    assert len(table.asked) <= asked + 1
