"""Devices approved before they ask: CONTRACT.md “Who may register”."""

import pytest

from fleet.decisions.commands import Outcome, PreauthoriseDevice
from fleet.decisions.signed_request import device_key, request_key
from fleet.devices.states import DeviceState
from tests.fleet.decisions.command_log import CommandLog


def preauthorise(log: CommandLog, namespace: str = "plant", **labels: str) -> Outcome:
    """`dev` may join as a member of `kiosks`."""
    return log.submit(PreauthoriseDevice("dev", namespace, "kiosks", labels, "uid", "device-uid"))


@pytest.mark.parametrize("state", [DeviceState.UNKNOWN, DeviceState.PENDING, DeviceState.REMOVED])
def test_a_device_approved_beforehand_may_register_at_once(state: DeviceState) -> None:
    """With its set and labels, and a signed request that says so."""
    log = CommandLog()
    log.bring_to(state)
    assert preauthorise(log, site="north").result == "accepted"
    assert log.stands() is DeviceState.APPROVED
    device = log.state.get(device_key("dev", "plant"))
    assert device is not None
    assert device.body["metadata"]["labels"] == {"flotta/member-of": "kiosks", "site": "north"}
    request = log.state.get(request_key("dev", "default"))
    assert request is not None
    assert request.body["spec"]["approved"] is True
    assert request.body["status"]["conditions"][0]["type"] == "approved"
    assert log.enrol().result == "unchanged"
    assert log.register().result == "accepted"


@pytest.mark.parametrize("state", [DeviceState.APPROVED, DeviceState.REGISTERED])
def test_approving_again_changes_nothing(state: DeviceState) -> None:
    """So a file may be sent again; in another namespace it is another wish."""
    log = CommandLog()
    log.bring_to(state)
    assert preauthorise(log).result == "unchanged"
    assert preauthorise(log, "default").result == "conflict"


@pytest.mark.parametrize(
    ("state", "result"),
    [
        (DeviceState.DECLINED, "forbidden"),
        (DeviceState.REVOKED, "forbidden"),
        (DeviceState.DELETING, "conflict"),
    ],
)
def test_a_device_that_was_turned_away_is_not_let_in_by_a_list(state: DeviceState, result: str) -> None:
    """Somebody decided about that one."""
    log = CommandLog()
    log.bring_to(state)
    assert preauthorise(log).result == result


def test_the_namespace_must_exist() -> None:
    """As for every approval."""
    assert preauthorise(CommandLog(), "nowhere").result == "not-found"
