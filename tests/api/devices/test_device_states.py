"""The table of states, row by row, with the real deciding worker (CONTRACT.md “Who may register”)."""

import pytest

from tests.api.fleet import Device, certificate_request
from tests.api.installation import until

# enrol, GET registration, its status, PUT registration, reads, heartbeat
TABLE = {
    "unknown": (201, 404, None, 403, 404, 404),
    "pending": (201, 403, None, 403, 404, 404),
    "declined": (403, 403, None, 403, 404, 404),
    "approved": (200, 200, "registered", 200, 404, 404),
    "registered": (200, 200, "registered", 200, 200, 200),
    "deleting": (200, 200, "registered", 403, 200, 200),
    "removed": (201, 200, "unregistered", 403, 404, 404),
    "revoked": (403, 200, "unregistered", 403, 404, 404),
}


@pytest.mark.parametrize("state", TABLE)
def test_each_state_answers_as_the_table_says(device: Device, state: str) -> None:
    """One row of the table."""
    enrol, registration, said, register, reads, heartbeat = TABLE[state]
    device.become(state)
    answer = device.call("GET", "registration")
    assert answer.status == registration, answer.body
    assert answer.json.get("status") == said
    assert device.call("GET", "configuration").status == reads
    assert device.call("GET", "playbookexecutions").status == reads
    assert device.beat().status == heartbeat
    assert device.register().status == register
    assert device.enrol().status == enrol


@pytest.mark.parametrize("state", TABLE)
def test_only_a_registered_answer_carries_a_namespace(device: Device, state: str) -> None:
    """So: no 200 with a namespace for a device that is not approved; `unregistered` without a namespace."""
    answer = device.become(state).call("GET", "registration")
    if answer.status == 200 and answer.json["status"] == "registered":
        assert answer.json["namespace"] == "default"
    else:
        assert "namespace" not in answer.json


@pytest.mark.parametrize("state", ["approved", "registered", "deleting", "revoked", "pending"])
def test_in_another_namespace_every_call_answers_404(device: Device, state: str) -> None:
    """In another namespace than its own (the initial one aside, for registration): 404."""
    device.become(state)
    for method, call in [("GET", "registration"), ("GET", "configuration"), ("GET", "playbookexecutions")]:
        assert device.call(method, call, namespace="shops").status == 404
    assert device.call("PUT", "heartbeat", {}, namespace="shops").status == 404
    assert device.enrol(namespace="shops").status == 404
    body = {"certificate_request": certificate_request(device.device_id)}
    assert device.call("PUT", "registration", body, namespace="shops").status == 404


def test_a_device_asks_through_the_initial_namespace_and_is_sent_to_its_own(device: Device) -> None:
    """It is then asked for with `GET …/default/…/registration`, and the answer carries the *target* namespace."""
    device.namespace = "shops"
    device.become("approved")
    answer = device.call("GET", "registration", namespace="default")
    assert (answer.status, answer.json["namespace"]) == (200, "shops")
    assert device.enrol(namespace="default").status == 200
    assert device.register().status == 200
    assert device.call("GET", "configuration").status == 200
    assert device.call("GET", "configuration", namespace="default").status == 404


def test_a_repeated_enrolment_is_queued_once(device: Device) -> None:
    """201 on *every* repeat while pending (queued once)."""
    assert [device.enrol().status for _ in range(3)] == [201, 201, 201]
    path = "/apis/management.project-flotta.io/v1alpha1/edgedevicesignedrequest"
    names = [item["metadata"]["name"] for item in device.operator.http.get(path).json()["items"]]
    assert names.count(device.device_id) == 1


def test_the_target_namespace_must_exist(device: Device) -> None:
    """An enrolment into a namespace nobody made is refused with its name."""
    answer = device.enrol(namespace="nowhere")
    assert answer.status == 404
    assert "nowhere" in answer.json["message"]


def test_a_device_never_chooses_its_set(device: Device) -> None:
    """What a device sends when it enrols never becomes a label of its set."""
    body = {"features": {"hardware": {"hostname": "h"}}, "target_set": "vip", "targetSet": "vip"}
    assert device.call("POST", "enrolment", body).status == 201
    device.operator.approve(device.device_id)
    made = device.operator.http.get(
        f"/apis/management.project-flotta.io/v1alpha1/namespaces/default/edgedevices/{device.device_id}"
    ).json()
    assert "flotta/member-of" not in made["metadata"].get("labels", {})


def test_a_deleted_device_is_stripped_and_gone_once_it_says_so(device: Device) -> None:
    """Deleting ends when the stripped version is reported."""
    workload = {"metadata": {"name": device.device_id}, "spec": {"type": "pod", "device": device.device_id}}
    workload["spec"]["pod"] = {"spec": {"containers": [{"name": "c", "image": "i:1"}]}}  # type: ignore[index]
    device.become("registered")
    device.operator.create("/apis/management.project-flotta.io/v1alpha1/namespaces/default/edgeworkloads", workload)
    full = device.call("GET", "configuration").json["device-configuration"]
    assert [workload["name"] for workload in full["workloads"]] == [device.device_id]
    device.operator.delete_device(device.device_id)
    stripped = device.call("GET", "configuration").json["device-configuration"]
    assert (stripped["workloads"], stripped["secrets"]) == ([], [])
    assert stripped["version"] != full["version"]
    assert device.beat(version=full["version"]).status == 200
    assert device.call("GET", "configuration").status == 200
    assert device.beat(version=stripped["version"]).status == 200
    until(lambda: device.call("GET", "configuration").status == 404)
    assert device.call("GET", "registration").json["status"] == "unregistered"
