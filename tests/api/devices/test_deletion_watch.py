"""Deletions whose device never answers are finished after their time."""

import pytest

from api.desired_state.command_gateway import Told
from api.desired_state.fleet_view import FleetView
from api.devices.deletion_watch import DeletionWatch
from api.devices.follow_ups import FollowUps
from fleet.decisions.commands import Command, FinishDeletion, Outcome
from fleet.decisions.identity_changes import identity_change
from fleet.devices.states import DeviceIdentity, DeviceState
from fleet.errors import UnavailableError
from tests.waiting import eventually


class Commands:
    """Takes commands; fails as often as told."""

    def __init__(self) -> None:
        self.taken: list[Command] = []
        self.failures = 0

    def hand_over(self, command: Command, author: str, deadline_s: float, told: Told) -> None:
        """Take one."""
        if self.failures:
            self.failures -= 1
            raise UnavailableError("not now")
        self.taken.append(command)
        told(Outcome(1, "", author, int(deadline_s), "accepted", "", [], []))


@pytest.fixture
def commands() -> Commands:
    """Where follow-ups go."""
    return Commands()


class Watched:
    """A watch whose clock the test moves."""

    def __init__(self, commands: Commands) -> None:
        self.now_ms = 1_000_000
        self.view = FleetView("default", 60, lambda: 0.0)
        self.follow_ups = FollowUps(commands, 1)
        self.watch = DeletionWatch(self.view, self.follow_ups, 3_600_000, lambda: self.now_ms)
        self.view.watch(self.watch.on_outcome)
        self._revision = 0

    def device(self, device_id: str, state: DeviceState) -> None:
        """Bring a device into a state, now."""
        self._revision += 1
        identity = DeviceIdentity(device_id, state, "default", deleting_since_ms=self.now_ms)
        self.view.apply(Outcome(self._revision, "", "", 0, "accepted", "", [identity_change(identity)], []))


@pytest.fixture
def watched(commands: Commands) -> Watched:
    """A watch of nothing yet."""
    return Watched(commands)


async def test_a_deletion_is_finished_after_its_time(watched: Watched, commands: Commands) -> None:
    """Deleting ends when the stripped version is reported, or after an hour."""
    watched.device("d1", DeviceState.DELETING)
    watched.device("d2", DeviceState.REGISTERED)
    watched.now_ms += 3_599_999
    watched.watch.finish_overdue()
    assert commands.taken == []
    watched.now_ms += 1
    watched.watch.finish_overdue()
    await eventually(lambda: commands.taken)
    assert commands.taken == [FinishDeletion("d1", "default")]


async def test_a_finish_that_failed_is_sent_again(watched: Watched, commands: Commands) -> None:
    """Until the device is gone."""
    watched.device("d1", DeviceState.DELETING)
    watched.now_ms += 3_600_000
    commands.failures = 1
    watched.watch.finish_overdue()
    await eventually(lambda: commands.failures == 0)
    await watched.follow_ups.stop(1)
    watched.watch.finish_overdue()
    await eventually(lambda: commands.taken)
    watched.device("d1", DeviceState.REMOVED)
    watched.watch.finish_overdue()
    await watched.follow_ups.stop(1)
    assert len(commands.taken) == 1


async def test_deletions_begun_before_the_load_are_found_in_it(watched: Watched, commands: Commands) -> None:
    """A process started later finishes them, too."""
    watched.device("d1", DeviceState.DELETING)
    later = DeletionWatch(watched.view, watched.follow_ups, 3_600_000, lambda: watched.now_ms + 3_600_000)
    later.finish_overdue()
    assert commands.taken == []
    later.after_load()
    later.finish_overdue()
    await eventually(lambda: commands.taken)
