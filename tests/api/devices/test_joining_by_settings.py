"""What settings make of enrolment and deletion, from HTTP to HTTP with a deciding worker of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.api.fleet import FLOTTA, Device, Operator
from tests.api.go_client import GoClient
from tests.api.installation import api_process, python_process, until


@contextmanager
def installation(variables: dict[str, str], folder: Path, **settings: object) -> Iterator[tuple[GoClient, Operator]]:
    """An installation with these settings, ready for devices."""
    all_ = variables | {f"MUSTER_{name}": str(value) for name, value in settings.items()}
    with (
        python_process(["streams", "commands"], all_, folder / "commands.log"),
        api_process(all_, folder / "api.log") as api,
        GoClient(api.port) as edge,
        Operator(api.url) as operator,
    ):
        yield edge, operator


def test_pending_requests_are_bounded_in_number(fresh: dict[str, str], tmp_path: Path) -> None:
    """One more is refused with the reason, and finds room when an operator has decided one."""
    with installation(fresh, tmp_path, DEVICES_PENDING_LIMIT=2) as (edge, operator):
        first, second, third = (Device(edge, operator) for _ in range(3))
        assert [device.enrol().status for device in (first, second)] == [201, 201]
        refused = third.enrol()
        assert (refused.status, "await a decision" in refused.json["message"]) == (403, True)
        assert third.call("GET", "registration").status == 404
        operator.decline(first.device_id)
        assert third.enrol().status == 201


def test_auto_approval_is_an_option(fresh: dict[str, str], tmp_path: Path) -> None:
    """With it the first enrolment is 200, and the device registers in the namespace it asked for."""
    with installation(fresh, tmp_path, DEVICES_AUTO_APPROVE="true") as (edge, operator):
        operator.add_namespace("shops")
        device = Device(edge, operator, "shops")
        assert device.enrol().status == 200
        told = device.call("GET", "registration", namespace="default")
        assert (told.status, told.json["namespace"]) == (200, "shops")
        assert device.register().status == 200
        assert device.beat().status == 200


def test_the_initial_namespace_is_a_setting(fresh: dict[str, str], tmp_path: Path) -> None:
    """Devices without a target are asked for there, and another namespace answers 404."""
    with installation(fresh, tmp_path, DEVICES_INITIAL_NAMESPACE="lobby") as (edge, operator):
        device = Device(edge, operator, "lobby")
        assert device.enrol().status == 201
        requests = operator.http.get(f"{FLOTTA}/namespaces/lobby/edgedevicesignedrequest").json()["items"]
        assert [request["metadata"]["name"] for request in requests] == [device.device_id]
        assert device.call("GET", "registration", namespace="default").status == 404
        assert device.call("GET", "registration").status == 403


def test_a_silent_device_is_removed_after_its_time(fresh: dict[str, str], tmp_path: Path) -> None:
    """Deleting ends when the stripped version is reported, or after the timeout; then it may ask again."""
    with installation(fresh, tmp_path, DEVICES_DELETION_TIMEOUT_S=1) as (edge, operator):
        device = Device(edge, operator).become("registered")
        operator.delete_device(device.device_id)
        until(lambda: device.call("GET", "configuration").status == 404, 30)
        told = device.call("GET", "registration")
        assert (told.status, told.json["status"]) == (200, "unregistered")
        assert device.enrol().status == 201
