"""An API process with a listener for each plane, the device plane's with a CA made for these tests."""

import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from local.free_ports import free_port
from tests.api.fleet import Operator
from tests.api.installation import Api, api_process, python_process
from tests.api.listeners.agent import TARGET
from tests.api.listeners.authority import Authority, Pair
from tests.api.listeners.go_edge_api import build
from tests.api.listeners.stored import Stored, stored_by


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The Flotta CA."""
    return Authority(tmp_path_factory.mktemp("flotta-ca"))


@pytest.fixture(scope="session")
def host(authority: Authority) -> Pair:
    """The Edge API's certificate."""
    return authority.host(serial=2019)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program set up as the Edge API's client is."""
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    return build(tmp_path_factory.mktemp("go"))


class Listening(NamedTuple):
    """An API process whose device plane is at `device_port`, with the CA that signed everything."""

    api: Api
    device_port: int
    authority: Authority

    def get(self, path: str, pair: Pair | None) -> httpx.Response:
        """One call to the device plane."""
        return self.get_with(path, self.authority.client_context(pair))

    def get_with(self, path: str, context: ssl.SSLContext) -> httpx.Response:
        """The same with a context of the test's own."""
        with httpx.Client(verify=context, trust_env=False) as client:
            return client.get(f"https://127.0.0.1:{self.device_port}{path}")

    def metric(self, name: str, **labels: str) -> float:
        """A metric's value, 0 where it has none yet."""
        wanted = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
        lines = httpx.get(f"{self.api.url}/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{{wanted}}}"))


@pytest.fixture(scope="module")
def listening(
    variables: dict[str, str],
    deciding: object,  # noqa: ARG001
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Listening]:
    """The device plane with mTLS on a port of its own, the management plane on loopback as ever."""
    port = free_port()
    server = authority.server()
    settings = {
        "DEVICE_PORT": port,
        "DEVICE_CERTIFICATE": server.certificate,
        "DEVICE_KEY": server.key,
        "DEVICE_CLIENT_CA": authority.file,
        "DEVICE_CLIENT_NAMES": "edge.example",
    }
    with api_process(variables, tmp_path_factory.mktemp("listening") / "log", **settings) as api:
        yield Listening(api, port, authority)


@pytest.fixture(scope="session")
def stored(variables: dict[str, str], operator: Operator, logs: Path) -> Iterator[Stored]:
    """What is stored, with the worker that folds heartbeats running, and the namespace that devices ask for."""
    operator.add_namespace(TARGET)
    # On a machine that is busy with other tests the tries of one second may come further apart.
    further = {"MUSTER_STREAMS_HEARTBEATS_METRICS_PORT": "0", "MUSTER_STREAMS_REPEAT_WITHIN_MS": "5000"}
    with (
        python_process(["streams", "heartbeats"], {**variables, **further}, logs / "heartbeats.log"),
        stored_by(variables) as stored,
    ):
        yield stored
