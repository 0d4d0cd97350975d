"""The key is the identity: CONTRACT.md “Who may register”, a rule a test."""

import pytest

from fleet.decisions.commands import ResetKey, SetHardwareLabels
from fleet.devices.states import DeviceState
from tests.fleet.decisions.command_log import KEY, OTHER_KEY, CommandLog


@pytest.mark.parametrize(
    "state",
    [
        DeviceState.UNKNOWN,
        DeviceState.PENDING,
        DeviceState.DECLINED,
        DeviceState.DELETING,
        DeviceState.REMOVED,
        DeviceState.REVOKED,
    ],
)
def test_nobody_registers_without_an_approval(state: DeviceState) -> None:
    """The Edge API gives the certificate out when this is accepted."""
    log = CommandLog()
    log.bring_to(state)
    outcome = log.register()
    assert outcome.result == "forbidden"
    assert "dev" in outcome.message
    assert log.stands() is state


def test_an_approved_device_registers_its_key_and_hardware() -> None:
    """From then on it is served."""
    log = CommandLog()
    log.bring_to(DeviceState.APPROVED)
    assert log.register().result == "accepted"
    identity = log.identity()
    assert (identity.state, identity.key_fingerprint, identity.is_key_proven) == (DeviceState.REGISTERED, KEY, False)
    assert identity.hardware_labels == {"device.hostname": "dev"}


def test_a_device_registers_only_in_its_own_namespace() -> None:
    """In another it is unknown, the initial one included."""
    log = CommandLog()
    log.bring_to(DeviceState.APPROVED)
    assert log.register(namespace="default").result == "not-found"


@pytest.mark.parametrize("is_proven", [False, True])
def test_the_same_key_may_always_renew(is_proven: bool) -> None:  # noqa: FBT001 - a case
    """A device approved at once registers twice, ten seconds apart."""
    log = CommandLog()
    log.bring_to(DeviceState.REGISTERED)
    if is_proven:
        log.prove()
    assert log.register().result == "unchanged"
    assert log.identity().is_key_proven is is_proven


def test_another_key_is_let_in_until_the_first_is_proven_and_told() -> None:
    """The answer to the first may have been lost."""
    log = CommandLog()
    log.bring_to(DeviceState.REGISTERED)
    outcome = log.register(key=OTHER_KEY)
    assert outcome.result == "accepted"
    assert [(event.type, event.reason) for event in outcome.events] == [("warn", "KeyChanged")]
    assert log.identity().key_fingerprint == OTHER_KEY


def test_another_key_is_refused_once_the_first_is_proven_and_told() -> None:
    """Any registered device can ask for a certificate in another's name."""
    log = CommandLog()
    log.bring_to(DeviceState.REGISTERED)
    log.prove()
    outcome = log.register(key=OTHER_KEY)
    assert outcome.result == "forbidden"
    assert [(event.namespace, event.device_id, event.reason) for event in outcome.events] == [
        ("plant", "dev", "KeyRefused")
    ]
    assert log.identity().key_fingerprint == KEY


def test_a_proof_of_a_key_that_was_replaced_proves_nothing() -> None:
    """The command carries the fingerprint, since another registration may have come before it."""
    log = CommandLog()
    log.bring_to(DeviceState.REGISTERED)
    log.register(key=OTHER_KEY)
    assert log.prove(key=KEY).result == "conflict"
    assert not log.identity().is_key_proven
    assert log.prove(key=OTHER_KEY).result == "accepted"
    assert log.prove(key=OTHER_KEY).result == "unchanged"


def test_a_proof_counts_only_for_a_registered_device_in_its_namespace() -> None:
    """Everything else proves nothing."""
    log = CommandLog()
    log.bring_to(DeviceState.APPROVED)
    assert log.prove().result == "not-found"
    log.register()
    assert log.prove(namespace="default").result == "not-found"


def test_a_new_life_with_another_key_is_told() -> None:
    """The operator approved the id anew, and sees that another key came."""
    log = CommandLog()
    log.bring_to(DeviceState.REMOVED)
    log.enrol()
    log.sign()
    assert [event.reason for event in log.register(key=OTHER_KEY).events] == ["KeyChanged"]


def test_hardware_labels_follow_the_device() -> None:
    """They come with heartbeats when hardware changes."""
    log = CommandLog()
    log.bring_to(DeviceState.REGISTERED)
    labels = {"device.hostname": "renamed"}
    assert log.submit(SetHardwareLabels("dev", "plant", labels)).result == "accepted"
    assert log.identity().hardware_labels == labels
    assert log.submit(SetHardwareLabels("dev", "plant", labels)).result == "unchanged"
    assert log.submit(SetHardwareLabels("dev", "default", {})).result == "not-found"


def test_hardware_labels_of_an_older_heartbeat_never_overwrite_newer() -> None:
    """A worker that was cut off may tell late, even what changed back since."""
    log = CommandLog()
    log.bring_to(DeviceState.REGISTERED)
    former, between = {"device.hostname": "former"}, {"device.hostname": "between"}
    assert log.submit(SetHardwareLabels("dev", "plant", former, sequence=5)).result == "accepted"
    assert log.submit(SetHardwareLabels("dev", "plant", former, sequence=9)).result == "accepted"
    assert log.submit(SetHardwareLabels("dev", "plant", between, sequence=7)).result == "unchanged"
    assert log.submit(SetHardwareLabels("dev", "plant", former, sequence=9)).result == "unchanged"
    assert log.identity().hardware_labels == former


def test_an_operators_leave_lets_one_other_key_in() -> None:
    """The device's own may renew meanwhile; the leave ends with the new key, which is told."""
    log = CommandLog()
    log.bring_to(DeviceState.REGISTERED)
    log.prove()
    assert log.submit(ResetKey("dev", "plant")).events[0].reason == "KeyReset"
    assert log.submit(ResetKey("dev", "plant")).result == "unchanged"
    assert log.register().result == "unchanged"
    outcome = log.register(key=OTHER_KEY)
    assert [event.reason for event in outcome.events] == ["KeyChanged"]
    assert (log.identity().key_fingerprint, log.identity().is_key_proven) == (OTHER_KEY, False)
    log.prove(key=OTHER_KEY)
    assert log.register().result == "forbidden"


@pytest.mark.parametrize(
    ("state", "result"),
    [
        (DeviceState.UNKNOWN, "not-found"),
        (DeviceState.APPROVED, "not-found"),
        (DeviceState.DELETING, "conflict"),
        (DeviceState.REVOKED, "not-found"),
    ],
)
def test_only_a_registered_device_gets_that_leave(state: DeviceState, result: str) -> None:
    """Another state asks for another decision."""
    log = CommandLog()
    log.bring_to(state)
    assert log.submit(ResetKey("dev", "plant")).result == result
