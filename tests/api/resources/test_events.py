"""Events of devices as kubectl shows them."""

import httpx
import pytest

from tests.api.fleet import Device, certificate_request
from tests.api.installation import until
from tests.api.resources.kubectl import Kubectl

EVENTS = "/api/v1/namespaces/default/events"


@pytest.fixture
def eventful(registered: Device) -> Device:
    """A device that showed another key, which is an event."""
    another = certificate_request(registered.device_id)
    # A busy machine may not decide within a device's deadline; the same key again is the same registration.
    until(lambda: registered.register(another).status == httpx.codes.OK)
    query = {"fieldSelector": f"involvedObject.name={registered.device_id}"}
    until(lambda: registered.operator.http.get(EVENTS, params=query).json()["items"])
    return registered


def test_describe_shows_events_of_a_device(kubectl: Kubectl, eventful: Device) -> None:
    """Beside what the resource says."""
    text = kubectl("describe", "edgedevice", eventful.device_id)
    assert f"Name:         {eventful.device_id}" in text
    events = text.partition("Events:")[2]
    assert "Warning" in events
    assert "KeyChanged" in events
    assert "muster" in events


def test_events_are_listed_as_a_table(kubectl: Kubectl, eventful: Device) -> None:
    """What, when, about whom."""
    lines = kubectl.lines("get", "events", "--field-selector", f"involvedObject.name={eventful.device_id}")
    assert lines[0] == ["NAME", "LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE", "AGE"]
    assert f"edgedevice/{eventful.device_id}" in lines[1]


def test_events_are_selected_by_what_they_are_about(eventful: Device) -> None:
    """As `kubectl describe` asks; other fields are refused, and so is following."""
    http = eventful.operator.http
    about = f"involvedObject.name={eventful.device_id},involvedObject.kind="
    assert len(http.get(EVENTS, params={"fieldSelector": about + "EdgeDevice"}).json()["items"]) == 1
    assert http.get(EVENTS, params={"fieldSelector": about + "EdgeWorkload"}).json()["items"] == []
    (one,) = http.get("/api/v1/events", params={"fieldSelector": about + "EdgeDevice"}).json()["items"]
    device = http.get(
        f"/apis/management.project-flotta.io/v1alpha1/namespaces/default/edgedevices/{eventful.device_id}"
    )
    assert one["involvedObject"]["uid"] == device.json()["metadata"]["uid"]
    for query in ({"fieldSelector": "spec.x=1"}, {"watch": "1"}):
        assert http.get(EVENTS, params=query).status_code == httpx.codes.BAD_REQUEST


def test_describe_works_for_every_kind(kubectl: Kubectl) -> None:
    """Also where there are no events."""
    kubectl("create", "configmap", "described", "--from-literal=a=b")
    assert "Name:         described" in kubectl("describe", "configmap", "described")
    assert "Name:         default" in kubectl("describe", "namespace", "default")
