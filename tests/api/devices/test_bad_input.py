"""Whatever is sent, the answer is a status and message that say what to change: no 500, no trace, nothing half done."""

import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.api.fleet import FLOTTA, Device
from tests.api.go_client import GoClient, path_of
from tests.api.installation import Api

NESTED = b"[" * 100_000
LIMIT_BYTES = 1_000_000
METHODS = {"heartbeat": "PUT", "registration": "PUT", "enrolment": "POST"}

BODIES = {
    "empty": (b"", 400),
    "no JSON": (b"hello", 400),
    "half of it": (b'{"status":', 400),
    "more than one": (b"{} {}", 400),
    "an array": (b"[]", 400),
    "text": (b'"up"', 400),
    "a number": (b"7", 400),
    "null": (b"null", 400),
    "not UTF-8": (b'{"status":"\xff\xfe"}', 400),
    "not UTF-8 where nobody looks": (b'{"other":"\xff\xfe"}', 400),
    "nested": (NESTED, 400),
    "nested in an object": (b'{"other":' + NESTED + b"]" * 100_000 + b"}", 400),
    "NaN": (b'{"status":NaN}', 400),
    "too large": (b'{"version":"' + b"v" * LIMIT_BYTES + b'"}', 413),
    "5 MB": (b" " * 5_000_000, 413),
}

WRONG_TYPES = {
    "heartbeat": [
        ({"status": 1}, "$.status"),
        ({"version": 7}, "$.version"),
        ({"workloads": {}}, "$.workloads"),
        ({"workloads": [7]}, "$.workloads[0]"),
        ({"workloads": [None, {"name": 7}]}, "$.workloads[1].name"),
        ({"events": [{"message": []}]}, "$.events[0].message"),
        ({"hardware": []}, "$.hardware"),
        ({"hardware": {"cpu": {"count": "8"}}}, "$.hardware.cpu.count"),
    ],
    "registration": [({"certificate_request": 1}, "$.certificate_request"), ({"hardware": "x"}, "$.hardware")],
    "enrolment": [({"features": []}, "$.features"), ({"features": {"hardware": {"hostname": 1}}}, "hostname")],
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("call", METHODS)
def test_unreadable_bodies_are_refused_with_a_reason(registered: Device, call: str, body: str) -> None:
    """Not JSON, not an object, nested without end, too large."""
    content, status = BODIES[body]
    answer = registered.call(METHODS[call], call, content)
    assert answer.status == status, answer.body
    assert list(answer.json) == ["message"]
    assert "Traceback" not in answer.json["message"]


@pytest.mark.parametrize(
    ("call", "body", "place"), [(call, body, place) for call, cases in WRONG_TYPES.items() for body, place in cases]
)
def test_a_field_of_the_wrong_type_is_named(registered: Device, call: str, body: object, place: str) -> None:
    """Refused with 400 and a message that says where."""
    answer = registered.call(METHODS[call], call, body)
    assert answer.status == 400
    assert place in answer.json["message"]


def test_a_body_over_the_limit_is_refused_when_chunked_too(registered: Device) -> None:
    """413: larger than the limit, also where no length announced it, and the sender hears it."""
    path = path_of(registered.device_id, "heartbeat")
    answer = registered.client.call("PUT", path, b"x" * 5_000_000, is_chunked=True)
    assert answer.status == 413
    assert f"{LIMIT_BYTES} bytes (MUSTER_HTTP_BODY_LIMIT_BYTES)" in answer.json["message"]


def test_the_connection_works_on_after_a_refusal(registered: Device) -> None:
    """What was refused leaves nothing behind on the connection."""
    assert registered.call("PUT", "heartbeat", b"nonsense").status == 400
    assert registered.beat().status == 200
    assert registered.client.connections == 1


def test_a_body_that_never_ends_is_answered(api: Api) -> None:
    """A sender that announces more than it sends is told so, and its connection is closed."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=20) as client:
        head = f"PUT {path_of('d1', 'heartbeat')} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{"
        client.sendall(head.encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "request_line", ["FOO / HTTP/1.1", "GET", "GET  /", "hello", "GET /\xfc HTTP/1.1", "GET * HTTP/1.1"]
)
def test_what_is_not_http_is_told_so(api: Api, request_line: str) -> None:
    """A message even to bytes that no route ever sees."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=5) as client:
        client.sendall(request_line.encode("latin-1") + b"\r\nHost: 127.0.0.1\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(10_000), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] in (b"400", b"404", b"405")
    assert json.loads(body)["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "PROPFIND", "TRACE"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/flotta-backend/v1/namespaces/../devices/dev1/enrolment",
        "/api/flotta-backend/v1/namespaces/default/devices/%2A/registration",
        "/api/flotta-backend/v1/../../api/v1/namespaces",
        "/api/v1/namespaces/default%2F..%2F/secrets/x",
        "/api/v1/namespaces/a b/secrets/ü",
        f"{FLOTTA}/namespaces/default/edgedevices/{'x' * 300}",
        f"{FLOTTA}/namespaces/default/edgedevices/%00",
        "//",
        "/api/v1/namespaces/default/secrets/x/status/more",
        f"/api/{'x' * 20_000}",
        "/docs/../metrics",
    ],
)
def test_no_path_or_method_breaks_it(api: Api, method: str, path: str) -> None:
    """Slashes, spaces, Unicode, 300 characters, unknown methods and paths: never 500."""
    answer = httpx.request(method, api.url + path, timeout=10, follow_redirects=False)
    assert answer.status_code < 500
    assert not 300 <= answer.status_code < 400
    if answer.status_code >= 400 and method != "HEAD":
        assert answer.json()["message"]


RESOURCE_BODIES = {
    "no JSON": (b"{", 400),
    "an array": (b"[]", 400),
    "nested": (b'{"spec":' + NESTED + b"]" * 100_000 + b"}", 400),
    "no name": (b'{"spec":{}}', 422),
    "another kind": (b'{"kind":"EdgeDevice","metadata":{"name":"x"},"spec":{}}', 400),
    "another name space": (b'{"metadata":{"name":"x","namespace":"other"},"spec":{}}', 422),
    "a bad name": (b'{"metadata":{"name":"No Name"},"spec":{}}', 422),
    "metadata of another type": (b'{"metadata":[],"spec":{}}', 422),
    "spec of another type": (b'{"metadata":{"name":"x"},"spec":"y"}', 422),
    "a label of another type": (b'{"metadata":{"name":"x","labels":{"a":1}},"spec":{}}', 422),
    "too large": (b'{"a":"' + b"v" * 1_500_000 + b'"}', 413),
}


@pytest.mark.parametrize("body", RESOURCE_BODIES)
def test_bad_resources_are_refused_with_a_reason(api: Api, body: str) -> None:
    """A document without kind or name, of another kind, nested, too large: a Status with a message."""
    content, status = RESOURCE_BODIES[body]
    headers = {"Content-Type": "application/json"}
    path = f"{api.url}{FLOTTA}/namespaces/default/edgedevicesets"
    answer = httpx.post(path, content=content, headers=headers, timeout=20)
    assert answer.status_code == status, answer.text
    assert answer.json()["kind"] == "Status"
    assert answer.json()["code"] == status
    assert answer.json()["message"]
    if status == 413:
        assert "1500000 bytes (MUSTER_HTTP_RESOURCE_LIMIT_BYTES)" in answer.json()["message"]


@pytest.fixture(scope="module", autouse=True)
def no_failure(api: Api) -> Iterator[None]:
    """Nothing here is an error of ours: the log of the process has none."""
    before = len(api.log.read_text())
    yield
    time.sleep(0.2)
    assert '"level": "error"' not in api.log.read_text()[before:]


def test_unknown_devices_are_refused_before_their_bodies_are_read(edge: GoClient) -> None:
    """404 for an unknown device, whatever it sends."""
    assert edge.call("PUT", path_of("nobody", "heartbeat"), b"nonsense").status == 404
