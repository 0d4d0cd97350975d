"""The processes of an installation for tests, started and stopped as the supervisor does it."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from local.free_ports import free_port
from tests.cli.muster import PROJECT, environment

READY_WITHIN_S = 60.0


class Api(NamedTuple):
    """A running API process."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def python_process(module: list[str], variables: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m MODULE`, stopped at the end as a supervisor stops it."""
    plain = {**environment(), **variables}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module], cwd=PROJECT, env=plain, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            pytest.fail(f"{module} did not stop: {log.read_text()}")


@contextmanager
def api_process(variables: Mapping[str, str], log: Path, *, is_ready: bool = True, **settings: Any) -> Iterator[Api]:
    """`python -m api`, ready or at least answering. `settings` are further variables without their prefix."""
    port = settings.pop("HTTP_PORT", None) or free_port()
    further = {f"MUSTER_{name}": str(value) for name, value in settings.items()}
    with python_process(["api"], {**variables, **further, "MUSTER_HTTP_PORT": str(port)}, log) as process:
        api = Api(port, process, log)
        probe = "/health/ready" if is_ready else "/health/live"
        until(lambda: answers_ok(api, probe), READY_WITHIN_S, log.read_text)
        yield api


def answers_ok(api: Api, path: str) -> bool:
    """Whether a GET is answered with 200. Fails when the process has ended."""
    assert api.process.poll() is None, api.log.read_text()
    try:
        return httpx.get(api.url + path, timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def until(condition: Callable[[], Any], within_s: float = 10.0, explain: Callable[[], str] = lambda: "") -> Any:
    """The first true value of the condition. Fails after the time."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        if value := condition():
            return value
        time.sleep(0.05)
    return pytest.fail(f"not within {within_s} s: {explain()}")
