"""What devices and gateways may send, and is accepted (CONTRACT.md “Being liberal in what we accept”)."""

import json
from pathlib import Path

import pytest

from tests.api.fleet import Device

EVENT = {"reason": "Failed", "message": "m", "type": "warn"}


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"workloads": None, "events": None, "playbook-executions": None},
        {"workloads": [], "events": [], "playbook-executions": []},
        {"workloads": [None], "events": [None, EVENT], "playbook-executions": [None]},
        {"workloads": [{"last_data_upload": "2022-03-04T05:06:07.123+02:00", "name": "w2", "status": "crashed"}, None]},
        {"hardware": None},
        {"hardware": {"disks": None, "gpus": None, "host_devices": None, "interfaces": None, "mounts": None}},
        {"something": {"nobody": ["knows"]}, "scope": "delta", "time": "2021-11-21T14:48:29.763+02:00"},
        {"status": "Running"},
        {"status": None},
        {"status": ""},
        {"workloads": [{"name": "w", "status": status} for status in ("Running", "Created", "Exited", "x", "", None)]},
        {"workloads": [{"name": "w", "last_data_upload": "0001-01-01T00:00:00.000Z", "status": "Running"}]},
        {"workloads": [{"name": "w", "last_data_upload": "1970-01-01T00:00:00.000Z", "status": "stopped"}]},
        {"workloads": [{"name": "w", "last_data_upload": "2022-03-04T05:06:07.123456789-11:30", "status": "crashed"}]},
        {"upgrade": {"current_commit_ID": "unknown"}, "version": "7"},
        {"events": [EVENT, EVENT]},
        {"hardware": {"hostname": "h", "cpu": {"flags": ["f" * 20] * 800}}},
    ],
)
def test_heartbeats_in_many_shapes_are_accepted(registered: Device, content: dict[str, object]) -> None:
    """Null, empty and absent lists, null elements, other spellings, zero times, offsets, unknown fields, hardware."""
    answer = registered.call("PUT", "heartbeat", content)
    assert answer.status == 200, answer.body


def test_a_heartbeat_without_content_type_is_accepted(registered: Device) -> None:
    """Gateways differ: the body decides, not its label."""
    path = f"/api/flotta-backend/v1/namespaces/default/devices/{registered.device_id}/heartbeat"
    for content_type in ("text/plain", "application/json; charset=utf-8", ""):
        answer = registered.operator.http.put(path, content=b"{}", headers={"Content-Type": content_type})
        assert answer.status_code == 200, answer.text


def test_a_chunked_heartbeat_is_accepted(registered: Device) -> None:
    """Other gateways may not know the length before."""
    path = f"/api/flotta-backend/v1/namespaces/default/devices/{registered.device_id}/heartbeat"
    body = b'{"status":"up","version":"' + b"v" * 100_000 + b'"}'
    assert registered.client.call("PUT", path, body, is_chunked=True).status == 200


def test_real_heartbeats_are_accepted(registered: Device, samples: Path) -> None:
    """The bodies of the captured messages."""
    for name in ("heartbeat-message.json", "heartbeat-with-events-message.json"):
        content = json.loads((samples / name).read_text())["content"]
        assert registered.call("PUT", "heartbeat", content).status == 200


def test_a_real_registration_needs_a_request_added(device: Device, samples: Path) -> None:
    """A registration without a valid CSR is refused with 400 (the sample predates it: add one)."""
    content = json.loads((samples / "registration-message.json").read_text())["Message"]["content"]
    device.become("approved")
    assert device.call("PUT", "registration", content).status == 400
    assert device.call("PUT", "registration", content | {"certificate_request": device.request}).status == 200


def test_an_enrolment_without_anything_is_accepted(device: Device) -> None:
    """Without a target `{}`, sent to `default`."""
    assert device.call("POST", "enrolment", {}).status == 201


def test_a_megabyte_of_features_leaves_little_behind(device: Device) -> None:
    """Anyone can enrol any id: what it says of itself is cut to what an operator needs to recognise it."""
    hardware = {"hostname": "h" * 100_000, "cpu": {"flags": ["f"] * 100_000, "architecture": "x86_64"}}
    assert device.call("POST", "enrolment", {"features": {"hardware": hardware}}).status == 201
    path = f"/apis/management.project-flotta.io/v1alpha1/namespaces/default/edgedevicesignedrequest/{device.device_id}"
    stored = device.operator.http.get(path)
    assert len(stored.content) < 2000
    assert stored.json()["spec"]["features"]["hardware"]["cpu"]["architecture"] == "x86_64"
