"""What lacks for a configuration is told once, however many processes meet it at however many polls."""

import pytest

from fleet.decisions.commands import Outcome, ReportConfiguration
from fleet.devices.states import DeviceState
from tests.fleet.decisions.command_log import CommandLog

PROBLEM = "Secret plant/keys: does not exist"


@pytest.fixture
def log() -> CommandLog:
    """`dev` is registered."""
    log = CommandLog()
    log.bring_to(DeviceState.REGISTERED)
    return log


def report(log: CommandLog, problem: str, *, is_assembled: bool = False, revision: int | None = None) -> Outcome:
    """A process that has applied everything, or no more than a revision, tells."""
    as_of = log.revision if revision is None else revision
    return log.submit(ReportConfiguration("dev", "plant", problem, is_assembled, as_of))


def test_a_problem_is_an_event_once(log: CommandLog) -> None:
    """The same told again, by whichever process, is none."""
    (event,) = report(log, PROBLEM).events
    assert (event.device_id, event.type, event.reason) == ("dev", "warn", "ConfigurationNotAssembled")
    assert event.message == PROBLEM
    assert report(log, PROBLEM).result == "unchanged"
    assert log.identity().configuration_problem == PROBLEM


def test_another_problem_and_the_end_of_it_are_events(log: CommandLog) -> None:
    """And the same problem after that is one again."""
    reports = [report(log, PROBLEM), report(log, "other"), report(log, ""), report(log, ""), report(log, PROBLEM)]
    assert [len(outcome.events) for outcome in reports] == [1, 1, 1, 0, 1]
    assert (reports[2].events[0].type, reports[2].events[0].reason) == ("info", "ConfigurationAssembled")


def test_a_part_left_out_has_a_reason_of_its_own(log: CommandLog) -> None:
    """The device was given the rest."""
    (event,) = report(log, PROBLEM, is_assembled=True).events
    assert event.reason == "ConfigurationIncomplete"


def test_a_process_that_lags_behind_brings_no_old_problem_back(log: CommandLog) -> None:
    """It assembled from a state before the one in which the problem was mended."""
    behind = log.revision
    report(log, PROBLEM)
    report(log, "")
    assert report(log, PROBLEM, revision=behind).result == "unchanged"
    assert log.identity().configuration_problem == ""


@pytest.mark.parametrize("state", [DeviceState.UNKNOWN, DeviceState.APPROVED, DeviceState.REMOVED])
def test_nothing_is_told_of_a_device_that_is_not_served(state: DeviceState) -> None:
    """It may have gone since."""
    log = CommandLog()
    log.bring_to(state)
    assert report(log, PROBLEM).result == "not-found"
