"""`muster approve` and `decline` against a running installation."""

import json
from collections.abc import Callable, Iterator
from uuid import uuid4

import httpx
import pytest

from cli.simulate.calls import BASE_PATH
from tests.api.installation import until
from tests.cli.conftest import Served

Muster = Callable[..., str]


@pytest.fixture
def edge(served: Served) -> Iterator[httpx.Client]:
    """A connection as the Edge API's."""
    with httpx.Client(base_url=f"http://127.0.0.1:{served.variables['MUSTER_HTTP_PORT']}{BASE_PATH}") as client:
        yield client


@pytest.fixture
def device_id() -> str:
    """A device nobody has heard of."""
    return f"dev-{uuid4().hex[:8]}"


def enrol(edge: httpx.Client, device_id: str) -> int:
    """What a device that asks to join is answered; told to come again, it does."""
    path = f"/namespaces/default/devices/{device_id}/enrolment"
    body = {"features": {"hardware": {"hostname": device_id}}}
    status: int = until(lambda: (told := edge.post(path, json=body).status_code) != 503 and told)
    return status


def standing(muster: Muster, device_id: str) -> list[str]:
    """The line of the table of signed requests."""
    (line,) = [line for line in muster("get", "edsr").splitlines() if line.startswith(device_id)]
    return line.split()


def test_device_waits_until_it_is_approved(edge: httpx.Client, muster: Muster, device_id: str) -> None:
    """201 while it waits, 200 afterwards; it becomes a member of the set it was approved for."""
    assert enrol(edge, device_id) == 201
    assert standing(muster, device_id)[3:5] == ["false", "pending"]
    assert muster("approve", device_id, "--set", "kiosks") == f"edgedevicesignedrequest/{device_id} approved\n"
    assert enrol(edge, device_id) == 200
    assert standing(muster, device_id)[3:6] == ["true", "approved", "kiosks"]
    device = json.loads(muster("get", "edgedevice", device_id, "-o", "json"))
    assert device["metadata"]["labels"] == {"flotta/member-of": "kiosks"}


def test_declined_device_is_refused_until_it_is_approved(edge: httpx.Client, muster: Muster, device_id: str) -> None:
    """Approving again takes the decision back."""
    enrol(edge, device_id)
    assert muster("decline", device_id, "--message", "not ours") == f"edgedevicesignedrequest/{device_id} declined\n"
    assert enrol(edge, device_id) == 403
    request = json.loads(muster("get", "edsr", device_id, "-o", "json"))
    assert request["status"]["conditions"][0]["message"] == "not ours"
    muster("approve", device_id)
    assert enrol(edge, device_id) == 200


def test_each_device_is_answered_by_itself(edge: httpx.Client, served: Served, muster: Muster, device_id: str) -> None:
    """One that never asked is told with what to do, and does not keep the others from their approval."""
    enrol(edge, device_id)
    done = served.muster("approve", "never-asked", device_id)
    assert done.returncode == 1
    assert done.stdout == f"edgedevicesignedrequest/{device_id} approved\n"
    assert "muster: never-asked: it has not asked to join" in done.stderr
    assert standing(muster, device_id)[3] == "true"


def test_approval_for_a_namespace_that_does_not_exist_is_refused(
    edge: httpx.Client, served: Served, device_id: str
) -> None:
    """With what to do; the device goes on waiting."""
    enrol(edge, device_id)
    done = served.muster("approve", device_id, "--namespace", "nowhere")
    assert done.returncode == 1
    assert "nowhere does not exist: create it first" in done.stderr
    assert enrol(edge, device_id) == 201
