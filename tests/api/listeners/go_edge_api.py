"""The Go program beside this file, set up as the Edge API's client is: built without a network, told what to call."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.api.go_client import BASE, RawAnswer
from tests.api.listeners.authority import Pair

SOURCE = Path(__file__).with_name("edge_api_client.go")


def build(folder: Path) -> Path:
    """The program. Takes a while: Go's own packages are compiled too."""
    shutil.copy(SOURCE, folder / "main.go")
    (folder / "go.mod").write_text("module edge\n")
    settings = {"GOCACHE": str(folder / "cache"), "GOFLAGS": "-mod=mod -p=1", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    argv = ["go", "build", "-o", "edge", "."]
    subprocess.run(argv, cwd=folder, env={**os.environ, **settings}, check=True, timeout=170)
    return folder / "edge"


class GoEdgeApi:
    """Calls through Go's own transport."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def call(self, method: str, path: str, body: bytes | None = None) -> RawAnswer | None:
        """One call; None when the transport had an error."""
        call = {"method": method, "path": path, "body": None if body is None else body.decode() + "\n"}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        if said["error"]:
            return None
        headers = [(name.lower(), value) for name, values in said["headers"].items() for value in values]
        return RawAnswer(said["status"], headers, said["body"].encode())


@contextmanager
def go_edge_api(program: Path, address: str, ca: Path, pair: Pair) -> Iterator[GoEdgeApi]:
    """The program, waiting for calls."""
    argv = [str(program), address + BASE, str(ca), str(pair.certificate), str(pair.key)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield GoEdgeApi(process)
        finally:
            process.terminate()
