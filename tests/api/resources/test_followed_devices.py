"""Followers of devices are told what those report, and where they stand, though neither changes the resource."""

import asyncio
import itertools
import json
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from api.desired_state.fleet_view import FleetView
from api.resources.reads import ResourceReads
from api.resources.selection import read_selection
from api.resources.statuses import Completed, Statuses
from api.resources.watches.event_lines import EventLines
from api.resources.watches.reports import Reports
from api.resources.watches.stream import Watches
from api.resources.watches.wanted import Wanted
from fleet.decisions.commands import Change, JSONObject, Outcome, ResourceKey
from fleet.decisions.identity_changes import identity_change
from fleet.devices.states import DeviceIdentity, DeviceState
from fleet.errors import UnavailableError
from fleet.resources import KINDS
from fleet.sealing import KeyRing
from storage.device_changes import ChangedDevice

KEY = bytes(32)


class Completing(Statuses):
    """Shows every device as reporting `phase`; `warnings` are those of a database that is away."""

    def __init__(self) -> None:
        self.phase = "up"
        self.warnings: list[str] = []

    async def complete(self, bodies: Sequence[JSONObject]) -> Completed:
        """The bodies with a status."""
        return Completed([body | {"status": {"phase": self.phase}} for body in bodies], self.warnings)


class Silent:
    """Nothing is stored; a test notes reports by itself."""

    def latest_ms(self) -> int:
        """Never."""
        return 0

    def changed_since(self, since_ms: int) -> list[ChangedDevice]:
        """None."""
        del since_ms
        return []


class Followed:
    """Devices `d1` (site north) and `d2` (site south), and their followers."""

    def __init__(self) -> None:
        self.view = FleetView("default", 60, lambda: 0.0, changes_limit=2000)
        self.view.is_loaded = True
        self.completing = Completing()
        keys = KeyRing({"k": KEY}, "k", KEY)
        reads = ResourceReads(self.view, keys, self.completing, shows_secrets=False)
        loop = asyncio.get_running_loop()
        self.reports = Reports(Silent(), self.view.recent.wake, loop.time)
        self.clock: Callable[[], float] = loop.time
        self.watches = Watches(reads, self.view.recent, self.reports, 2, self._now)
        self.revision = 0
        for name, site in (("d1", "north"), ("d2", "south")):
            self.apply(device(name, site))

    def _now(self) -> float:
        return self.clock()

    def apply(self, *changes: Change) -> None:
        """As the feed does."""
        self.revision += 1
        self.view.apply(Outcome(self.revision, f"r{self.revision}", "ann", 0, "accepted", "", list(changes), []))

    def stand(self, name: str, state: DeviceState) -> None:
        """A device's standing changes."""
        self.apply(identity_change(DeviceIdentity(name, state, "default")))

    def report(self, name: str, phase: str) -> None:
        """A device reports another phase."""
        self.completing.phase = phase
        self.reports._note([("default", name)])

    def follow(self, *, selector: str = "", timeout_s: int = 20, has_bookmarks: bool = False) -> Any:
        """A follower from now on."""
        wanted = Wanted(read_selection(selector, None), self.revision, timeout_s, has_bookmarks)
        lines = EventLines(KINDS["EdgeDevice"], None, lambda: datetime.now(UTC))
        return aclosing(self.watches.follow(KINDS["EdgeDevice"], None, wanted, lines))


def device(name: str, site: str) -> Change:
    """A device comes to be."""
    metadata = {"namespace": "default", "name": name, "labels": {"site": site}}
    return Change(ResourceKey("EdgeDevice", "default", name), {"kind": "EdgeDevice", "metadata": metadata, "spec": {}})


def followed(scenario: Callable[[Followed], Any]) -> None:
    """Run a scenario, within a bound."""

    async def run() -> None:
        async with asyncio.timeout(30):
            await scenario(Followed())

    asyncio.run(run())


async def told(lines: Any) -> tuple[str, str, str]:
    """The next event: its type, the device's name and phase."""
    event = json.loads(await anext(lines))
    return event["type"], event["object"]["metadata"]["name"], event["object"]["status"]["phase"]


def test_a_report_is_told_as_a_change() -> None:
    """At the revision the resource has, to those whose selection it belongs to."""

    async def scenario(fleet: Followed) -> None:
        async with fleet.follow(selector="site=north") as lines:
            assert await anext(lines) == b""
            waiting = asyncio.create_task(anext(lines))
            await asyncio.sleep(0)
            fleet.report("d2", "degraded")
            await asyncio.sleep(0)
            fleet.report("d1", "up")
            event = json.loads(await waiting)
            assert event["object"]["metadata"]["resourceVersion"] == "1"
            assert (event["type"], event["object"]["metadata"]["name"]) == ("MODIFIED", "d1")
            fleet.report("d1", "degraded")
            assert await told(lines) == ("MODIFIED", "d1", "degraded")

    followed(scenario)


def test_another_standing_is_told_as_a_change() -> None:
    """Of a device that asks, is approved, registers: without another revision of its resource."""

    async def scenario(fleet: Followed) -> None:
        async with fleet.follow() as lines:
            assert await anext(lines) == b""
            fleet.stand("d2", DeviceState.APPROVED)
            fleet.stand("nobody", DeviceState.PENDING)
            event = json.loads(await anext(lines))
            assert (event["type"], event["object"]["metadata"]["name"]) == ("MODIFIED", "d2")
            assert event["object"]["metadata"]["resourceVersion"] == "2"
            fleet.report("d1", "up")
            assert (await told(lines))[1] == "d1"

    followed(scenario)


def test_without_the_database_no_report_is_told_as_if_it_were_gone() -> None:
    """It is told when the device reports again."""

    async def scenario(fleet: Followed) -> None:
        async with fleet.follow() as lines:
            assert await anext(lines) == b""
            fleet.completing.warnings = ["ClickHouse does not answer"]
            waiting = asyncio.create_task(anext(lines))
            await asyncio.sleep(0)
            fleet.report("d1", "lost")
            await asyncio.sleep(0.05)
            assert not waiting.done()
            fleet.completing.warnings = []
            fleet.report("d1", "up")
            event = json.loads(await waiting)
            assert event["object"]["status"]["phase"] == "up"

    followed(scenario)


def test_being_woken_is_no_reason_for_a_bookmark() -> None:
    """They come at their time, the last at the end."""

    async def scenario(fleet: Followed) -> None:
        async with fleet.follow(timeout_s=1, has_bookmarks=True) as lines:
            assert await anext(lines) == b""
            waiting = asyncio.create_task(anext(lines))
            for _ in range(5):
                await asyncio.sleep(0.01)
                fleet.view.recent.wake()
            assert not waiting.done()
            assert json.loads(await waiting)["type"] == "BOOKMARK"
            assert [line async for line in lines] == []

    followed(scenario)


@pytest.mark.parametrize("step_s", [0.04, 0.07, 0.11, 0.3, 0.6])
def test_the_last_bookmark_comes_whatever_the_clock_says_between_two_looks(step_s: float) -> None:
    """The time is over at one look, not at another after the one that found no bookmark due."""

    async def scenario(fleet: Followed) -> None:
        looks = itertools.count()
        fleet.clock = lambda: next(looks) * step_s
        async with fleet.follow(timeout_s=1, has_bookmarks=True) as lines:
            types = [json.loads(line)["type"] async for line in lines if line]
        assert types == ["BOOKMARK"]

    followed(scenario)


def test_a_bookmark_comes_while_there_is_always_something_to_tell() -> None:
    """Else a follower of a busy kind would begin anew far behind."""

    async def scenario(fleet: Followed) -> None:
        async with fleet.follow(timeout_s=1, has_bookmarks=True) as lines:
            types = []
            async for line in lines:
                types += [json.loads(line)["type"]] if line else []
                fleet.stand("d1", DeviceState.APPROVED)
                await asyncio.sleep(0.05)
        assert types.count("MODIFIED") > 5
        assert types[-1] == "BOOKMARK"

    followed(scenario)


def test_one_change_of_many_devices_is_told_of_all() -> None:
    """More than are read at once, all at one revision."""

    async def scenario(fleet: Followed) -> None:
        names = [f"e{number:04}" for number in range(1200)]
        async with fleet.follow(has_bookmarks=True) as lines:
            assert await anext(lines) == b""
            fleet.apply(*(device(name, "north") for name in names))
            assert [(await told(lines))[1] for _ in names] == names

    followed(scenario)


def test_more_followers_than_the_limit_are_refused() -> None:
    """Until one of them leaves; the message names the setting."""

    async def scenario(fleet: Followed) -> None:
        async with fleet.follow() as first, fleet.follow() as second:
            await anext(first)
            fleet.watches.check_room()
            await anext(second)
            with pytest.raises(UnavailableError, match="2 watches are open \\(MUSTER_API_WATCHES\\)"):
                fleet.watches.check_room()
        fleet.watches.check_room()

    followed(scenario)
