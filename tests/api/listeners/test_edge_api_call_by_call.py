"""The Edge API, call by call, with what was captured of it: over plain HTTP and over mutual TLS."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.fleet import Operator
from tests.api.installation import Api
from tests.api.listeners import captured
from tests.api.listeners.agent import Agent, told
from tests.api.listeners.authority import Pair
from tests.api.listeners.conftest import Listening
from tests.api.listeners.edge_api import SocketEdgeApi
from tests.api.listeners.stored import Stored
from tests.api.listeners.whole_way import go_the_whole_way
from tests.conftest import SHARED

Connected = Callable[[], SocketEdgeApi]


@pytest.fixture
def plain(api: Api) -> Iterator[SocketEdgeApi]:
    """The Edge API on the same machine, without TLS."""
    with _closing(SocketEdgeApi(api.port)) as edge:
        yield edge


@pytest.fixture
def secured(listening: Listening, host: Pair) -> Iterator[SocketEdgeApi]:
    """The Edge API with its certificate, at a process of its own: the operator's changes are made at another."""
    with _closing(SocketEdgeApi(listening.device_port, listening.authority.client_context(host))) as edge:
        yield edge


@contextmanager
def _closing(edge: SocketEdgeApi) -> Iterator[SocketEdgeApi]:
    try:
        yield edge
    finally:
        edge.close()


@pytest.fixture
def hardware(samples: Path) -> dict[str, object]:
    """What a real device registered with: 10 to 20 kB."""
    message = json.loads((samples / "registration-message.json").read_text())
    found: dict[str, object] = message["Message"]["content"]["hardware"]
    return found


def test_what_is_sent_here_is_what_was_captured() -> None:
    """Bodies, headers and paths stand in the contract's page, letter by letter."""
    page = SHARED / "CONTRACT.md"
    if not page.exists():
        pytest.skip("the contract's page is read from ../shared beside the checkout, which is not there")
    written = "".join(page.read_text().partition("## Captured")[2].split())
    bodies = [captured.EMPTY, captured.WITH_VERSION, captured.CURRENT_AGENTS, captured.CRASHED, captured.PLAYBOOK]
    for body in bodies:
        assert "".join(body.decode().split()) in written
    for path in captured.PATHS:
        assert path.partition("/namespaces/default")[2] in written
    put = captured.request_bytes("PUT", "/p", "h", captured.WITH_VERSION).decode()
    for line in put.splitlines()[2:]:
        assert "".join(line.split()) in written
    assert len(captured.WITH_VERSION + b"\n") == 88
    assert captured.request_bytes("GET", "/p", "h", None).decode().split("\r\n")[2:] == [
        "User-Agent: Go-http-client/1.1", "Accept: application/json", "Accept-Encoding: gzip", "", "",
    ]  # fmt: skip


def test_a_device_goes_the_whole_way(
    plain: SocketEdgeApi, operator: Operator, stored: Stored, hardware: dict[str, object]
) -> None:
    """Over one connection, from an unknown id to rows of its heartbeats."""
    go_the_whole_way(Agent(plain, hardware=hardware), operator, stored)
    assert plain.connections == 1 or any(said.answer.status == 503 for said in plain.said)


def test_a_device_goes_the_whole_way_over_mutual_tls(
    secured: SocketEdgeApi, operator: Operator, stored: Stored, hardware: dict[str, object]
) -> None:
    """The same with the certificates of both sides."""
    go_the_whole_way(Agent(secured, hardware=hardware), operator, stored)


def test_the_initial_namespace_may_be_the_target(plain: SocketEdgeApi, operator: Operator, stored: Stored) -> None:
    """Without a target `{}` is sent to `default`, and the device stays there."""
    go_the_whole_way(Agent(plain, target=None), operator, stored)


def test_the_initial_namespace_may_be_named_as_the_target(
    plain: SocketEdgeApi, operator: Operator, stored: Stored
) -> None:
    """With `target_namespace: default` the paths are the same."""
    go_the_whole_way(Agent(plain, target="default"), operator, stored)


@pytest.mark.parametrize("place", ["id", "namespace"])
def test_names_in_the_wrong_case_are_refused_and_leave_nothing(
    plain: SocketEdgeApi, operator: Operator, stored: Stored, place: str
) -> None:
    """400 to each of the six calls, with a message; the device of that name in lower case is not touched."""
    agent = Agent(plain).join(operator.approve)
    before = (stored.enrolment(agent.device_id), stored.revisions(agent.device_id))
    device = agent.device_id.title() if place == "id" else agent.device_id
    namespace = "Tns" if place == "namespace" else "tns"
    calls = [
        ("POST", "enrolment", captured.enrolment("tns")),
        ("GET", "registration", None),
        ("PUT", "registration", captured.registration(agent.request, agent.hardware)),
        ("GET", "configuration", None),
        ("PUT", "heartbeat", captured.EMPTY),
        ("GET", "playbookexecutions", None),
    ]
    for method, call, body in calls:
        path = f"/namespaces/{namespace}/devices/{device}/{call}"
        answer = told(lambda method=method, path=path, body=body: plain.call(method, path, body))  # type: ignore[misc]
        assert answer.status == 400
        assert "lower-case" in answer.json["message"]
    assert (stored.enrolment(agent.device_id), stored.revisions(agent.device_id)) == before
    assert stored.enrolment(device) == (before[0] if place == "namespace" else [])
    assert stored.beats(device) == []


@pytest.mark.parametrize("path", captured.PATHS)
def test_captured_paths_that_are_no_names_are_refused(plain: SocketEdgeApi, path: str) -> None:
    """`..` raw, and what was escaped."""
    is_post = path.endswith("enrolment")
    answer = told(lambda: plain.call("POST" if is_post else "GET", path, b"{}" if is_post else None))
    assert answer.status == 400
    assert answer.json["message"]


def test_a_device_that_nobody_knows_is_told_so(plain: SocketEdgeApi) -> None:
    """404 to its reads and heartbeats, which the Edge API tries four times."""
    agent = Agent(plain)
    for call in ("configuration", "playbookexecutions"):
        assert told(lambda call=call: plain.call("GET", agent.path(call))).status == 404  # type: ignore[misc]
    plain.said = []
    assert told(lambda: plain.beat(agent.path("heartbeat"), captured.EMPTY)).status == 404
    assert [said.answer.status for said in plain.said][-4:] == [404] * 4
