"""Each state answers as the contract's table says, and every way into a state leads there."""

import pytest

from fleet.devices.states import ANSWERS, DeviceState
from tests.fleet.decisions.command_log import CommandLog


@pytest.mark.parametrize(
    ("state", "answers"),
    [
        ("unknown", (201, 404, "", 403, 404, False, 404)),
        ("pending", (201, 403, "", 403, 404, False, 404)),
        ("declined", (403, 403, "", 403, 404, False, 404)),
        ("approved", (200, 200, "registered", 200, 404, False, 404)),
        ("registered", (200, 200, "registered", 200, 200, False, 200)),
        ("deleting", (200, 200, "registered", 403, 200, True, 200)),
        ("removed", (201, 200, "unregistered", 403, 404, False, 404)),
        ("revoked", (403, 200, "unregistered", 403, 404, False, 404)),
    ],
)
def test_each_state_answers_as_the_table_of_the_contract_says(state: str, answers: tuple[object, ...]) -> None:
    """The table is data, and this is its other copy."""
    assert ANSWERS[DeviceState(state)] == answers


def test_only_approved_devices_are_answered_with_a_namespace() -> None:
    """The Edge API signs a certificate for any namespace it is told, whatever the status beside it."""
    named = {state for state, answers in ANSWERS.items() if answers.registration_status == "registered"}
    assert named == {DeviceState.APPROVED, DeviceState.REGISTERED, DeviceState.DELETING}


@pytest.mark.parametrize("state", DeviceState)
def test_a_device_can_be_led_to_every_state(state: DeviceState) -> None:
    """The other tests of these rules start from here."""
    log = CommandLog()
    log.bring_to(state)
    assert log.stands() is state
