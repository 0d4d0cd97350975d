"""Playbooks of EdgeConfigs become executions of devices: CONTRACT.md “Playbooks”."""

from base64 import b64encode

import pytest

from fleet.decisions.commands import Outcome, ReportPlaybook, ResourceKey
from fleet.decisions.playbooks import Execution, executions
from fleet.decisions.signed_request import device_key
from fleet.devices.states import DeviceState
from tests.fleet.decisions.command_log import CommandLog

TEXT = "---\n- hosts: all\n"
CONFIG = {"spec": {"edgePlaybook": {"playbooks": [{"content": b64encode(TEXT.encode()).decode()}, {"content": ""}]}}}
KEY = ResourceKey("PlaybookExecution", "plant", "dev-tune")


@pytest.fixture
def log() -> CommandLog:
    """`dev` is registered and has a label that names the EdgeConfig `tune`."""
    log = CommandLog()
    log.bring_to(DeviceState.REGISTERED)
    log.put(ResourceKey("EdgeConfig", "plant", "tune"), CONFIG)
    log.put(device_key("dev", "plant"), {"metadata": {"labels": {"config/one": "tune", "other": "tune"}}, "spec": {}})
    return log


def found(log: CommandLog) -> list[Execution]:
    """The executions of `dev`."""
    device = log.state.get(device_key("dev", "plant"))
    assert device is not None
    return list(executions(log.state, device.body))


def report(log: CommandLog, status: str, execution: str = "dev-tune") -> Outcome:
    """A heartbeat said so."""
    return log.submit(ReportPlaybook("dev", "plant", execution, status))


def conditions(log: CommandLog) -> dict[str, str]:
    """Of the execution, in their order."""
    held = log.state.get(KEY)
    assert held is not None
    return {each["type"]: each["status"] for each in held.body["status"]["conditions"]}


def test_a_labelled_device_has_an_execution_of_the_first_playbook(log: CommandLog) -> None:
    """Named after both; no resource until the device was told of it."""
    (execution,) = found(log)
    assert (execution.key, execution.text, execution.status) == (KEY, TEXT, None)
    assert not execution.is_finished


@pytest.mark.parametrize("labels", [{}, {"config/one": "missing"}, {"tune": "config/one"}])
def test_other_labels_name_no_execution(log: CommandLog, labels: dict[str, str]) -> None:
    """An EdgeConfig that does not exist is none."""
    log.put(device_key("dev", "plant"), {"metadata": {"labels": labels}, "spec": {}})
    assert found(log) == []


@pytest.mark.parametrize("end", ["SuccessfullyCompleted", "CompletedWithError"])
def test_conditions_follow_the_reports_to_the_end(log: CommandLog, end: str) -> None:
    """The last one holds, those before do not any more."""
    for status in ("Deploying", "targetverification", "Running"):
        assert report(log, status).result == "accepted"
        assert not found(log)[0].is_finished
    assert report(log, end).result == "accepted"
    assert conditions(log) == {"Deploying": "False", "TargetVerification": "False", "Running": "False", end: "True"}
    assert found(log)[0].is_finished


def test_late_and_repeated_reports_change_nothing(log: CommandLog) -> None:
    """What ended stays ended."""
    report(log, "Running")
    assert report(log, "Deploying").result == "unchanged"
    report(log, "CompletedWithError")
    for status in ("Running", "SuccessfullyCompleted", "CompletedWithError"):
        assert report(log, status).result == "unchanged"
    assert conditions(log)["CompletedWithError"] == "True"


def test_a_device_makes_no_executions_of_its_own(log: CommandLog) -> None:
    """It may report what it was told to run, in the contract's words."""
    assert report(log, "Running", "dev-other").result == "not-found"
    assert report(log, "Dancing").result == "invalid"
    assert log.state.resources("PlaybookExecution", "plant") == {}


def test_an_execution_keeps_the_playbook_it_began_with(log: CommandLog) -> None:
    """A change of the EdgeConfig is for devices that begin later, or whose execution is deleted."""
    report(log, "Deploying")
    log.put(
        ResourceKey("EdgeConfig", "plant", "tune"), {"spec": {"edgePlaybook": {"playbooks": [{"content": "eA=="}]}}}
    )
    assert found(log)[0].text == TEXT
    log.delete(KEY)
    assert found(log)[0].text == "x"


def test_executions_go_with_their_device(log: CommandLog) -> None:
    """When its deletion is finished."""
    report(log, "Running")
    log.delete(device_key("dev", "plant"))
    assert report(log, "SuccessfullyCompleted").result == "not-found"
    log.finish_deletion()
    assert log.state.get(KEY) is None
