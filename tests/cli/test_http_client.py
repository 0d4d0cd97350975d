"""The management plane's client, against a server that misbehaves on purpose."""

import json

import pytest

from cli.errors import CommandError
from cli.http_client import RefusedError, Server
from local.free_ports import free_port
from tests.cli.scripted_server import Asked, Told, scripted_server

PATH = "/api/v1/namespaces/web"


def status(code: int, message: str) -> Told:
    """A Kubernetes Status, as the server tells errors."""
    return Told(code, json.dumps({"kind": "Status", "message": message, "code": code}).encode())


def test_unknown_outcome_is_asked_for_once_more_with_the_same_request_id() -> None:
    """After a 504 the change may be applied already: only the id keeps the repeat from applying it twice."""
    with (
        scripted_server(lambda _, number: status(504, "unknown") if number == 0 else Told(200, b"{}")) as server,
        Server(server.address, 5) as client,
    ):
        client.change("PATCH", PATH, {})
    ids = [asked.header("Muster-Request-Id") for asked in server.asked]
    assert len(ids) == 2
    assert ids[0] == ids[1]
    assert ids[0]


def test_connection_that_breaks_before_the_answer_is_an_unknown_outcome_too() -> None:
    """The server may have read the change before it died."""
    with (
        scripted_server(lambda _, number: Told(0) if number == 0 else Told(200, b"{}")) as server,
        Server(server.address, 5) as client,
    ):
        client.change("DELETE", PATH)
    assert len({asked.header("Muster-Request-Id") for asked in server.asked}) == 1
    assert len(server.asked) == 2


def test_outcome_that_stays_unknown_is_told_in_the_servers_words() -> None:
    """Twice 504 ends the command with the message and no third try."""
    with (
        scripted_server(lambda _, __: status(504, "the outcome is not known")) as server,
        Server(server.address, 5) as client,
        pytest.raises(RefusedError, match="the outcome is not known"),
    ):
        client.change("PATCH", PATH, {})
    assert len(server.asked) == 2


def test_busy_server_is_asked_again_after_the_time_it_names() -> None:
    """503 with Retry-After means that nothing was done yet."""
    busy = Told(503, b'{"message": "loading"}', (("Retry-After", "3"),))
    slept: list[float] = []
    with (
        scripted_server(lambda _, number: busy if number < 2 else Told(200, b'{"kind": "Namespace"}')) as server,
        Server(server.address, 5, sleep=slept.append) as client,
    ):
        assert client.get(PATH) == {"kind": "Namespace"}
    assert slept == [3.0, 3.0]


def test_server_that_stays_busy_is_given_up() -> None:
    """Tries are bounded; the last message is shown."""
    with (
        scripted_server(lambda _, __: status(503, "still loading")) as server,
        Server(server.address, 5, sleep=lambda _: None) as client,
        pytest.raises(RefusedError, match="still loading"),
    ):
        client.get(PATH)
    assert len(server.asked) == 5


def test_nobody_listening_says_how_to_start() -> None:
    """Connection refused is one line with the next thing to do."""
    with Server(f"http://127.0.0.1:{free_port()}", 5) as client, pytest.raises(CommandError, match="`muster up`"):
        client.get(PATH)


def test_change_names_its_author() -> None:
    """The server notes who changed what."""
    with scripted_server(lambda _, __: Told(200, b"{}")) as server, Server(server.address, 5) as client:
        client.change("PATCH", PATH, {"spec": {}}, content_type="application/merge-patch+json", is_dry_run=True)
    (asked,) = server.asked
    assert asked.header("Muster-Author")
    assert asked.header("Content-Type") == "application/merge-patch+json"
    assert "dryRun=All" in asked.path


def test_warnings_of_the_server_are_read() -> None:
    """Kubernetes puts them into headers, with quotes escaped."""
    headers = (("Warning", '299 - "unknown field \\"spec.foo\\""'), ("Warning", '299 - "second"'))
    with scripted_server(lambda _, __: Told(200, b"{}", headers)) as server, Server(server.address, 5) as client:
        assert client.change("PATCH", PATH, {}).warnings == ['unknown field "spec.foo"', "second"]


def test_list_is_read_page_by_page() -> None:
    """A list goes on where the server's token says."""

    def page(asked: Asked, _: int) -> Told:
        if "continue=more" in asked.path:
            return Told(200, b'{"items": [{"n": 3}], "metadata": {}}')
        return Told(200, b'{"items": [{"n": 1}, {"n": 2}], "metadata": {"continue": "more"}}')

    with scripted_server(page) as server, Server(server.address, 5) as client:
        assert [item["n"] for item in client.list(PATH, {"labelSelector": "a=b"})] == [1, 2, 3]
    assert all("labelSelector=a%3Db" in asked.path for asked in server.asked)


def test_answer_that_is_not_json_is_no_stack_trace() -> None:
    """Something else may listen on the port."""
    with (
        scripted_server(lambda _, __: Told(404, b"<html>not here</html>")) as server,
        Server(server.address, 5) as client,
        pytest.raises(RefusedError, match="answered 404 without saying why"),
    ):
        client.get(PATH)
