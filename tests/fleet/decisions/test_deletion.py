"""What goes when something is deleted, and what must stay."""

import pytest

from fleet.decisions.commands import DeleteResource, ResourceKey
from fleet.devices.states import DeviceState
from tests.fleet.decisions.command_log import KEY, CommandLog

REQUEST = ResourceKey("EdgeDeviceSignedRequest", "default", "dev")
DEVICE = ResourceKey("EdgeDevice", "plant", "dev")
WORKLOAD = ResourceKey("EdgeWorkload", "plant", "web")


def test_a_registered_device_is_first_told_to_run_nothing() -> None:
    """It stays, marked, until it has reported that or had its time."""
    log = CommandLog()
    log.bring_to(DeviceState.REGISTERED)
    assert log.delete(DEVICE).result == "accepted"
    assert log.stands() is DeviceState.DELETING
    assert log.state.get(DEVICE).body["metadata"]["deletionTimestamp"] == "2023-11-14T22:13:20Z"
    assert log.identity().deleting_since_ms == log.now_ms
    assert log.delete(DEVICE).result == "unchanged"


def test_a_deletion_ends_with_a_tombstone_of_id_and_key() -> None:
    """The approval is withdrawn with it: device and request are gone."""
    log = CommandLog()
    log.bring_to(DeviceState.DELETING)
    assert log.finish_deletion().result == "accepted"
    assert (log.state.get(DEVICE), log.state.get(REQUEST)) == (None, None)
    assert (log.stands(), log.identity().former_key_fingerprint) == (DeviceState.REMOVED, KEY)
    assert log.finish_deletion().result == "unchanged"


def test_a_device_that_is_not_being_deleted_is_not_removed() -> None:
    """Several processes may say that a deletion is complete; none of them can begin one."""
    log = CommandLog()
    assert log.finish_deletion().result == "not-found"
    log.bring_to(DeviceState.REGISTERED)
    assert log.finish_deletion().result == "unchanged"
    assert log.stands() is DeviceState.REGISTERED


@pytest.mark.parametrize("key", [DEVICE, REQUEST])
def test_an_approved_device_that_never_registered_is_forgotten(key: ResourceKey) -> None:
    """Deleting its device or its request withdraws the approval."""
    log = CommandLog()
    log.bring_to(DeviceState.APPROVED)
    assert log.delete(key).result == "accepted"
    assert (log.state.get(DEVICE), log.state.get(REQUEST)) == (None, None)
    assert log.stands() is DeviceState.UNKNOWN


@pytest.mark.parametrize("state", [DeviceState.PENDING, DeviceState.DECLINED])
def test_deleting_an_undecided_or_declined_request_forgets_the_device(state: DeviceState) -> None:
    """It may ask again."""
    log = CommandLog()
    log.bring_to(state)
    log.delete(REQUEST)
    assert log.stands() is DeviceState.UNKNOWN
    assert log.enrol().result == "accepted"


@pytest.mark.parametrize("state", [DeviceState.REGISTERED, DeviceState.REVOKED, DeviceState.DELETING])
def test_deleting_the_request_of_a_registered_device_only_clears_it_away(state: DeviceState) -> None:
    """Whether the device may come is no longer up to the request."""
    log = CommandLog()
    log.bring_to(state)
    assert log.delete(REQUEST).result == "accepted"
    assert log.stands() is state


def test_a_registered_device_without_a_request_can_still_be_declined() -> None:
    """With a request made for it."""
    log = CommandLog()
    log.bring_to(DeviceState.REGISTERED)
    log.delete(REQUEST)
    assert log.sign(approved=False).result == "accepted"
    log.decline()
    assert log.stands() is DeviceState.REVOKED


def test_deleting_a_revoked_device_leaves_it_revoked() -> None:
    """Otherwise it could ask again."""
    log = CommandLog()
    log.bring_to(DeviceState.REVOKED)
    assert log.delete(DEVICE).result == "accepted"
    assert log.stands() is DeviceState.REVOKED


def test_a_request_cannot_be_changed_while_its_device_is_being_deleted() -> None:
    """What would come of it is not yet decided."""
    log = CommandLog()
    log.bring_to(DeviceState.DELETING)
    assert log.sign(targetSet="pumps").result == "conflict"
    assert log.decline().result == "conflict"


def test_a_namespace_is_deleted_only_when_it_is_empty() -> None:
    """Nothing goes unseen."""
    log = CommandLog()
    log.put(WORKLOAD, {"spec": {}})
    refused = log.delete(ResourceKey("Namespace", "", "plant"))
    assert (refused.result, refused.message) == (
        "conflict",
        "namespace plant still holds EdgeWorkload: delete them first",
    )
    log.delete(WORKLOAD)
    assert log.delete(ResourceKey("Namespace", "", "plant")).result == "accepted"
    assert log.put(WORKLOAD, {"spec": {}}).result == "not-found"


def test_the_initial_namespace_always_exists() -> None:
    """Devices enrol there; it can be labelled, not deleted."""
    log = CommandLog()
    key = ResourceKey("Namespace", "", "default")
    assert log.delete(key).result == "forbidden"
    assert log.put(key, {"metadata": {"labels": {"a": "b"}}}).result == "accepted"
    assert log.delete(key).result == "forbidden"


def test_what_does_not_exist_or_changed_is_not_deleted() -> None:
    """With the preconditions Kubernetes has."""
    log = CommandLog()
    assert log.delete(WORKLOAD).result == "not-found"
    revision = log.put(WORKLOAD, {"spec": {}}).revision
    uid = log.state.get(WORKLOAD).body["metadata"]["uid"]
    assert log.submit(DeleteResource(WORKLOAD, expected_uid="another")).result == "conflict"
    assert log.submit(DeleteResource(WORKLOAD, expected_revision=revision - 1)).result == "conflict"
    assert log.submit(DeleteResource(WORKLOAD, uid, revision)).result == "accepted"


def test_a_device_resource_without_a_device_just_goes() -> None:
    """Made ahead of an approval that never came."""
    log = CommandLog()
    log.put(DEVICE, {"spec": {}})
    assert log.delete(DEVICE).result == "accepted"
    assert log.state.get(DEVICE) is None


def test_identities_are_no_resources() -> None:
    """No caller can write or delete one."""
    log = CommandLog()
    log.bring_to(DeviceState.PENDING)
    key = ResourceKey("DeviceIdentity", "", "dev")
    assert log.put(key, {"state": "registered"}).result == "invalid"
    assert log.delete(key).result == "invalid"
