"""A Go program set up as the Edge API's client is, built here: what it meets, a browser or curl would not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.fleet import Device
from tests.api.go_client import path_of
from tests.api.listeners.authority import Authority, Pair
from tests.api.listeners.conftest import Listening

pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")

SOURCE = Path(__file__).with_name("edge_api_client.go")
CALLERS, CALLS = 20, 10


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built without a network."""
    folder = tmp_path_factory.mktemp("go")
    shutil.copy(SOURCE, folder / "main.go")
    (folder / "go.mod").write_text("module edge\n")
    settings = {"GOCACHE": str(folder / "cache"), "GOFLAGS": "-mod=mod -p=1", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    build = ["go", "build", "-o", "edge", "."]
    subprocess.run(build, cwd=folder, env={**os.environ, **settings}, check=True, timeout=170)
    return folder / "edge"


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


def test_a_client_without_the_cas_signature_gets_an_error(program: Path, listening: Listening, tmp_path: Path) -> None:
    """No status at all."""
    stranger = Authority(tmp_path, "stranger").host()
    assert _answers(program, listening, stranger, "nobody") == {"error": CALLERS * CALLS}
