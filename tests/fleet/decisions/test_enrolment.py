"""Who may join: CONTRACT.md “Who may register”, a rule a test."""

import pytest

from fleet.decisions.commands import ResourceKey
from fleet.decisions.signed_request import MEMBER_OF_LABEL
from fleet.devices.states import DeviceState
from tests.fleet.decisions.command_log import HOUR_MS, KEY, LIMITS, OTHER_KEY, CommandLog

REQUEST = ResourceKey("EdgeDeviceSignedRequest", "default", "dev")
DEVICE = ResourceKey("EdgeDevice", "plant", "dev")


def test_an_unknown_device_waits_in_the_initial_namespace_for_a_decision() -> None:
    """Its signed request names the target namespace and what the device told about itself."""
    log = CommandLog()
    assert log.enrol().result == "accepted"
    request = log.state.get(REQUEST)
    assert request is not None
    assert request.body["spec"] == {
        "targetNamespace": "plant",
        "approved": False,
        "features": {"hardware": {"hostname": "dev"}},
    }
    assert request.body["status"]["conditions"][0]["type"] == "pending"
    assert log.stands() is DeviceState.PENDING


def test_a_device_that_asks_again_is_queued_once() -> None:
    """The Edge API repeats an enrolment every ten seconds until it is approved."""
    log = CommandLog()
    log.enrol()
    assert log.enrol().result == "unchanged"
    assert log.state.pending_count == 1


def test_the_target_namespace_must_exist() -> None:
    """Ids and namespaces come from the attacker."""
    log = CommandLog()
    assert log.enrol(namespace="nowhere").result == "not-found"
    assert log.stands() is DeviceState.UNKNOWN


def test_a_device_never_chooses_its_set() -> None:
    """Whatever it tells about itself, its device is no member of anything."""
    log = CommandLog()
    log.enrol()
    log.sign()
    assert "labels" not in log.state.get(DEVICE).body["metadata"]


def test_undecided_enrolments_are_bounded() -> None:
    """Anyone may enrol any id; the limit is a setting."""
    log = CommandLog()
    for number in range(LIMITS.pending_limit):
        log.enrol(f"dev-{number}")
    assert log.enrol("one-more").result == "forbidden"
    assert log.stands("one-more") is DeviceState.UNKNOWN


def test_undecided_enrolments_expire_by_the_times_in_requests() -> None:
    """The expired make room for the next, with their signed requests."""
    log = CommandLog()
    for number in range(LIMITS.pending_limit):
        log.enrol(f"dev-{number}")
    log.now_ms += LIMITS.pending_expiry_ms + 1
    assert log.enrol("later").result == "accepted"
    assert set(log.state.identities) == {"later"}
    assert set(log.state.resources("EdgeDeviceSignedRequest", "default")) == {"later"}


def test_a_decided_enrolment_does_not_expire() -> None:
    """Only what waits does."""
    log = CommandLog()
    log.enrol("kept")
    log.sign("kept")
    log.enrol("refused")
    log.decline("refused")
    log.now_ms += LIMITS.pending_expiry_ms + 1
    log.enrol("later")
    assert log.stands("kept") is DeviceState.APPROVED
    assert log.stands("refused") is DeviceState.DECLINED


def test_approving_creates_the_device_in_the_target_namespace_and_set() -> None:
    """The operator's request says where it lands."""
    log = CommandLog()
    log.enrol()
    assert log.sign(targetSet="pumps").result == "accepted"
    assert log.state.get(DEVICE).body["metadata"]["labels"] == {MEMBER_OF_LABEL: "pumps"}
    assert log.identity().namespace == "plant"
    request = log.state.get(REQUEST).body
    assert [condition["type"] for condition in request["status"]["conditions"]] == ["approved"]
    assert request["spec"]["features"] == {"hardware": {"hostname": "dev"}}


def test_an_operator_may_approve_a_device_before_it_asks() -> None:
    """A request with approved: true is all that approval needs."""
    log = CommandLog()
    log.sign()
    assert log.stands() is DeviceState.APPROVED
    assert log.enrol().result == "unchanged"


def test_a_request_that_is_not_approved_does_not_approve() -> None:
    """An operator's request fixes target and set of a device that asks later."""
    log = CommandLog()
    log.put(ResourceKey("Namespace", "", "office"), {})
    log.sign(namespace="office", approved=False, targetSet="desks")
    assert log.stands() is DeviceState.UNKNOWN
    log.enrol(namespace="plant")
    assert log.stands() is DeviceState.PENDING
    assert log.identity().namespace == "office"


def test_approval_needs_a_target_namespace_that_exists() -> None:
    """It may have been deleted while the device waited."""
    log = CommandLog()
    log.enrol()
    log.delete(ResourceKey("Namespace", "", "plant"))
    assert log.sign().result == "not-found"
    assert log.stands() is DeviceState.PENDING


def test_device_ids_are_unique_in_the_installation() -> None:
    """A certificate's subject is the id alone."""
    log = CommandLog()
    log.put(ResourceKey("EdgeDevice", "default", "dev"), {"spec": {}})
    assert log.put(DEVICE, {"spec": {}}).result == "conflict"
    log.enrol()
    assert log.sign(namespace="plant").result == "conflict"
    assert log.sign(namespace="default").result == "accepted"


def test_a_device_resource_alone_approves_nobody() -> None:
    """Only a signed request does."""
    log = CommandLog()
    log.put(DEVICE, {"spec": {"heartbeat": {"periodSeconds": 5}}})
    assert log.stands() is DeviceState.UNKNOWN
    log.enrol()
    log.sign()
    assert log.state.get(DEVICE).body["spec"] == {"heartbeat": {"periodSeconds": 5}}


def test_auto_approval_approves_at_once_and_without_a_set() -> None:
    """The setting travels in the request, so that the decision does not depend on who decides."""
    log = CommandLog()
    log.enrol(is_auto_approved=True)
    assert log.stands() is DeviceState.APPROVED
    assert log.state.get(DEVICE).body["metadata"]["uid"] == "device-uid-2"


def test_auto_approval_does_not_bring_back_a_deleted_device() -> None:
    """Deletion withdraws the approval; an operator gives it anew."""
    log = CommandLog()
    log.bring_to(DeviceState.REMOVED)
    log.enrol(is_auto_approved=True)
    assert log.stands() is DeviceState.PENDING


@pytest.mark.parametrize("state", [DeviceState.PENDING, DeviceState.APPROVED, DeviceState.UNKNOWN])
def test_declining_a_device_that_never_registered_refuses_it(state: DeviceState) -> None:
    """It is told 403 from then on, and nothing of its approval is left."""
    log = CommandLog()
    log.bring_to(state)
    log.sign(approved=False)
    log.decline()
    assert log.stands() is DeviceState.DECLINED
    assert log.state.get(DEVICE) is None
    request = log.state.get(REQUEST).body
    assert request["spec"]["approved"] is False
    assert request["status"]["conditions"][0]["message"] == "not ours"
    assert log.enrol().result == "forbidden"
    assert log.decline().result == "unchanged"


def test_declining_a_registered_device_revokes_it() -> None:
    """Its certificate is of no use any more; its resource stays for the operator."""
    log = CommandLog()
    log.bring_to(DeviceState.REGISTERED)
    log.decline()
    assert log.stands() is DeviceState.REVOKED
    assert log.state.get(DEVICE) is not None
    assert log.register().result == "forbidden"


@pytest.mark.parametrize("state", [DeviceState.DECLINED, DeviceState.REVOKED])
def test_approving_again_lifts_a_refusal(state: DeviceState) -> None:
    """The device may come with a new key, of which the operator is told."""
    log = CommandLog()
    log.bring_to(state)
    assert log.sign().result == "accepted"
    assert log.stands() is DeviceState.APPROVED
    assert [event.reason for event in log.register(key=OTHER_KEY).events] == (
        ["KeyChanged"] if state is DeviceState.REVOKED else []
    )


@pytest.mark.parametrize("state", [DeviceState.APPROVED, DeviceState.REGISTERED])
def test_an_approval_is_not_withdrawn_by_writing_it_away(state: DeviceState) -> None:
    """An old file applied again must not stop a device; declining says so clearly."""
    log = CommandLog()
    log.bring_to(state)
    assert log.sign(approved=False).result == "conflict"
    assert log.sign(namespace="default").result == "conflict"
    assert log.sign(targetSet="pumps").result == "conflict"
    assert log.sign().result == "unchanged"


def test_signed_requests_belong_in_the_initial_namespace() -> None:
    """There is one request a device."""
    log = CommandLog()
    key = ResourceKey("EdgeDeviceSignedRequest", "plant", "dev")
    assert log.put(key, {"spec": {"approved": True}}).result == "invalid"


def test_only_declining_can_be_written_into_a_requests_status() -> None:
    """The rest of it is what Muster says."""
    log = CommandLog()
    log.enrol()
    status = {"conditions": [{"type": "approved", "status": "True"}]}
    assert log.put(REQUEST, {"status": status}, subresource="status").result == "invalid"
    assert log.stands() is DeviceState.PENDING


def test_a_removed_device_may_ask_again_and_its_key_is_remembered() -> None:
    """A tombstone keeps id and key; forgetting the new request brings the tombstone back."""
    log = CommandLog()
    log.bring_to(DeviceState.REMOVED)
    log.enrol()
    assert log.stands() is DeviceState.PENDING
    assert log.identity().former_key_fingerprint == KEY
    log.delete(REQUEST)
    assert log.stands() is DeviceState.REMOVED
    log.enrol()
    log.now_ms += LIMITS.pending_expiry_ms + HOUR_MS
    log.enrol("another")
    assert log.stands() is DeviceState.REMOVED
