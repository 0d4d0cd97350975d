"""A Go program set up as the Edge API's client is, built here: what it meets, a browser or curl would not."""

import subprocess
from pathlib import Path

from tests.api.fleet import Device, Operator
from tests.api.go_client import path_of
from tests.api.listeners.agent import Agent
from tests.api.listeners.authority import Authority, Pair
from tests.api.listeners.captured import PATHS
from tests.api.listeners.conftest import Listening
from tests.api.listeners.go_edge_api import go_edge_api
from tests.api.listeners.stored import Stored
from tests.api.listeners.whole_way import go_the_whole_way

CALLERS, CALLS = 20, 10


def _answers(program: Path, listening: Listening, pair: Pair, device: str) -> dict[str, int]:
    url = f"https://127.0.0.1:{listening.device_port}{path_of(device, 'heartbeat')}"
    files = [str(listening.authority.file), str(pair.certificate), str(pair.key)]
    argv = [str(program), url, *files, str(CALLERS), str(CALLS)]
    run = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    return {said: int(count) for said, count in (line.split() for line in run.stdout.splitlines())}


def test_all_heartbeats_of_the_edge_api_are_accepted(
    program: Path, listening: Listening, host: Pair, registered: Device
) -> None:
    """Twenty callers at a time over two idle connections: nearly a handshake a call, and 200 for each."""
    assert _answers(program, listening, host, registered.device_id) == {"200": CALLERS * CALLS}


def test_a_device_gets_403_from_go_too(program: Path, listening: Listening, authority: Authority) -> None:
    """With a body on its way, over connections that are closed after it."""
    assert _answers(program, listening, authority.device("go-device"), "go-device") == {"403": CALLERS * CALLS}


def test_a_device_goes_the_whole_way_through_go(
    program: Path, listening: Listening, host: Pair, operator: Operator, stored: Stored
) -> None:
    """From enrolment to rows of heartbeats, each call by Go's own transport over mutual TLS."""
    address = f"https://127.0.0.1:{listening.device_port}"
    with go_edge_api(program, address, listening.authority.file, host) as edge:
        go_the_whole_way(Agent(edge), operator, stored)


def test_go_sends_names_as_they_are(program: Path, listening: Listening, host: Pair) -> None:
    """`..` raw, `*` and `;` escaped, upper case: 400 to each."""
    address = f"https://127.0.0.1:{listening.device_port}"
    with go_edge_api(program, address, listening.authority.file, host) as edge:
        for path in (*PATHS, "/namespaces/default/devices/Dev1/enrolment"):
            is_post = path.endswith("enrolment")
            answer = edge.call("POST" if is_post else "GET", path, b"{}" if is_post else None)
            assert answer
            assert answer.status == 400, path


def test_a_client_without_the_cas_signature_gets_an_error(program: Path, listening: Listening, tmp_path: Path) -> None:
    """No status at all."""
    stranger = Authority(tmp_path, "stranger").host()
    assert _answers(program, listening, stranger, "nobody") == {"error": CALLERS * CALLS}
