"""EdgeDevices are shown with where they stand and what they reported, and without the latter when it cannot be read."""

import asyncio
import subprocess
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.desired_state.fleet_view import FleetView
from api.resources.statuses import Statuses
from fleet.devices.reported_status import DeviceReport
from fleet.heartbeats.batch import DeviceKey
from settings import load
from settings.keys import read_password
from storage.client import connect
from storage.device_reports import read_reports
from tests.api.fleet import FLOTTA, Device, device_path
from tests.api.installation import python_process, until
from tests.api.resources.kubectl import Kubectl

WORKLOAD = {"kind": "EdgeWorkload", "metadata": {"namespace": "default", "name": "w1"}, "spec": {}}
DEVICE = {"kind": "EdgeDevice", "metadata": {"namespace": "default", "name": "d1"}, "spec": {}}


@pytest.fixture(scope="module")
def folding(variables: dict[str, str], logs: Path) -> Iterator[None]:
    """The heartbeat worker runs."""
    with python_process(["streams", "heartbeats"], variables, logs / "heartbeats.log"):
        yield


def shown(device: Device) -> dict[str, Any]:
    """The status of a device as an operator reads it."""
    answer = device.operator.http.get(device_path(device.device_id))
    assert answer.status_code == httpx.codes.OK, answer.text
    assert "warning" not in answer.headers
    status: dict[str, Any] = answer.json().get("status", {})
    return status


@pytest.mark.usefixtures("folding")
def test_a_workload_is_shown_with_how_many_devices_say_what_of_it(registered: Device, kubectl: Kubectl) -> None:
    """When the heartbeat is stored, until the device no longer reports it; `kubectl get` has a column."""
    name = f"w-{uuid4().hex[:8]}"
    pod = {"spec": {"containers": [{"name": "c", "image": "i"}]}}
    workload = {"metadata": {"name": name}, "spec": {"device": registered.device_id, "type": "pod", "pod": pod}}
    path = f"{FLOTTA}/namespaces/default/edgeworkloads"
    registered.operator.create(path, workload)

    def status() -> Any:
        return registered.operator.http.get(f"{path}/{name}").json().get("status")

    assert status() is None or status() == {}
    assert registered.beat(status="up", version="v7", workloads=[{"name": name, "status": "Running"}]).status == 200
    until(lambda: status() == {"devices": 1, "phases": {"Running": 1}}, 30)
    (line,) = (line for line in kubectl.lines("get", "edgeworkloads") if line[0] == name)
    assert line[3:5] == ["1", "Running"]
    assert registered.beat(status="up", version="v7", workloads=[]).status == 200
    until(lambda: not status(), 30)


@pytest.mark.usefixtures("folding")
def test_a_device_is_shown_as_its_last_heartbeat_left_it(registered: Device) -> None:
    """State at once; phase, times, version and workloads when the heartbeat is stored; the same in lists."""
    name = f"w-{uuid4().hex[:8]}"
    pod = {"spec": {"containers": [{"name": "c", "image": "i"}]}}
    workload = {"metadata": {"name": name}, "spec": {"device": registered.device_id, "type": "pod", "pod": pod}}
    registered.operator.create(f"{FLOTTA}/namespaces/default/edgeworkloads", workload)
    assert shown(registered) == {"state": "registered", "workloads": [{"name": name, "phase": "Deploying"}]}
    assert registered.beat(status="up", version="v7", workloads=[{"name": name, "status": "Running"}]).status == 200
    status = until(lambda: (found := shown(registered)).get("phase") and found, 30)
    assert (status["phase"], status["lastSyncedResourceVersion"]) == ("up", "v7")
    assert [(each["name"], each["phase"]) for each in status["workloads"]] == [(name, "Running")]
    assert status["lastSeenTime"].endswith("Z")
    listed = registered.operator.http.get(f"{FLOTTA}/edgedevices").json()["items"]
    assert status in [item.get("status") for item in listed]


@pytest.mark.usefixtures("folding")
def test_kubectl_waits_for_what_a_device_reports(kubectl: Kubectl, device: Device) -> None:
    """For its standing, its status, a version and a workload, none of which is a change of the resource."""
    device.become("approved")
    kubectl_waits(kubectl, device, "state", "registered", device.register)
    configuration = device.call("GET", "configuration").json["device-configuration"]
    beats = device.beat(status="up", version="another")
    assert beats.status == 200
    kubectl_waits(
        kubectl, device, "lastSyncedResourceVersion", configuration["version"],
        lambda: device.beat(status="up", version=configuration["version"]),
    )  # fmt: skip
    beating = {"version": configuration["version"], "workloads": [{"name": "web", "status": "Running"}]}
    kubectl_waits(kubectl, device, "workloads[0].phase", "Running", lambda: device.beat(status="up", **beating))
    (line,) = (line for line in kubectl.lines("get", "edgedevices") if line[0] == device.device_id)
    assert line[1:3] == ["registered", "up"]


def kubectl_waits(kubectl: Kubectl, device: Device, field: str, value: str, then: Callable[[], Any]) -> None:
    """It returns when that is so, which it is only after something happens."""
    arguments = ["wait", f"--for=jsonpath={{.status.{field}}}={value}", f"edgedevice/{device.device_id}"]
    command = [kubectl.binary, *arguments, "--timeout=40s"]
    with subprocess.Popen(command, env=kubectl.environment, stdout=subprocess.PIPE, text=True) as waiting:
        then()
        assert waiting.wait(timeout=60) == 0


def test_writing_back_what_was_shown_changes_nothing(registered: Device) -> None:
    """A status that was completed is not stored."""
    path = device_path(registered.device_id)
    first = registered.operator.http.get(path).json()
    written = registered.operator.http.put(path, json=first)
    assert written.status_code == httpx.codes.OK, written.text
    assert written.json()["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert "status" not in written.json()


def test_a_page_of_the_largest_size_can_be_read(variables: dict[str, str], deciding: object) -> None:  # noqa: ARG001
    """5,000 devices with the longest names."""
    settings = load(variables)
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
    assert read_reports(client, {("n" * 63, f"{number:063}") for number in range(5000)}) == {}
    client.close()


class Unselected:
    """Selects nothing."""

    def selected_workloads(self, device: Mapping[str, Any], hardware_labels: Mapping[str, str]) -> list[str]:
        """No workload."""
        del device, hardware_labels
        return []


def completed(read: Any, bodies: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Bodies completed within a moment, and the warnings."""
    view = FleetView("default", 60, lambda: 0.0)
    statuses = Statuses(view, Unselected(), read, read, queries=1, deadline_s=0.2)
    result = asyncio.run(statuses.complete(bodies))
    statuses.close()
    return result.bodies, result.warnings


def test_without_clickhouse_devices_are_shown_with_a_warning() -> None:
    """An error of the database and its silence alike."""
    release = threading.Event()

    def refuses(_: Collection[DeviceKey]) -> Mapping[DeviceKey, DeviceReport]:
        raise ConnectionRefusedError

    def hangs(_: Collection[DeviceKey]) -> Mapping[DeviceKey, DeviceReport]:
        release.wait(10)
        return {}

    for read in (refuses, hangs):
        bodies, warnings = completed(read, [DEVICE, WORKLOAD])
        assert bodies == [DEVICE | {"status": {}}, WORKLOAD]
        assert len(warnings) == 1
    release.set()


def test_other_kinds_cost_no_query() -> None:
    """They are shown as stored."""

    def fails(_: Collection[DeviceKey]) -> Mapping[DeviceKey, DeviceReport]:
        pytest.fail("nothing is to be read")

    other = {"kind": "EdgeDeviceSet", "metadata": {"namespace": "default", "name": "s"}}
    assert completed(fails, [other]) == ([other], [])
