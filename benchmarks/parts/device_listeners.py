"""API processes whose device plane is reached over TLS: ended by the process itself, or by HAProxy in front of it."""

import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from benchmarks.errors import BenchmarkError
from benchmarks.parts.certificates import Certificates
from benchmarks.parts.installation import Installation
from benchmarks.peers.peer import Peer
from local.free_ports import free_ports

_HAPROXY: Final = Path(__file__).parents[2] / "deploy" / "haproxy" / "haproxy.cfg"
_LOADED_WITHIN_S: Final = 60.0


class DeviceListener(NamedTuple):
    """An https address of the device plane; `processes` are those that answer there, by what they are."""

    address: str
    processes: dict[str, list[psutil.Process]]


@contextmanager
def tls_in_the_server(installation: Installation, certificates: Certificates) -> Iterator[DeviceListener]:
    """One more API process of the installation, which verifies the client itself."""
    (port,) = free_ports(1)
    settings = {
        "DEVICE_CERTIFICATE": str(certificates.server.certificate),
        "DEVICE_KEY": str(certificates.server.key),
        "DEVICE_CLIENT_CA": str(certificates.ca),
    }
    with _api(installation, port, settings) as api:
        yield DeviceListener(f"https://127.0.0.1:{port}", {"api": api.processes()})


@contextmanager
def tls_in_haproxy(installation: Installation, certificates: Certificates) -> Iterator[DeviceListener]:
    """One more API process, and HAProxy as `deploy/haproxy` has it. Raises BenchmarkError where that is missing."""
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if haproxy is None:
        raise BenchmarkError("HAProxy is not installed: `apt-get install haproxy` (Debian, Ubuntu)")
    behind, port = free_ports(2)
    environ = {
        "MUSTER_PROXY_BIND": f"127.0.0.1:{port}",
        "MUSTER_PROXY_CERTIFICATE": str(certificates.server.certificate),
        "MUSTER_PROXY_CLIENT_CA": str(certificates.ca),
        "MUSTER_PROXY_BACKEND": f"127.0.0.1:{behind}",
    }
    argv = [haproxy, "-db", "-f", str(_HAPROXY)]
    with ExitStack() as stack:
        api = stack.enter_context(_api(installation, behind, {"DEVICE_PROXY_HEADER": "Client-Cert"}))
        proxy = stack.enter_context(Peer(argv, port, installation.folder / "haproxy.log", environ))
        yield DeviceListener(f"https://127.0.0.1:{port}", {"api": api.processes(), "proxy": proxy.processes()})


@contextmanager
def _api(installation: Installation, device_port: int, settings: dict[str, str]) -> Iterator[Peer]:
    (port,) = free_ports(1)
    chosen = {"HTTP_PORT": str(port), "HTTP_PROCESSES": "1", "DEVICE_PORT": str(device_port), **settings}
    environ = {**installation.environ, **{f"MUSTER_{name}": value for name, value in chosen.items()}}
    log = installation.folder / f"api-{device_port}.log"
    with Peer([sys.executable, "-m", "api"], port, log, environ) as api:
        deadline_s = time.monotonic() + _LOADED_WITHIN_S
        while not _is_ready(api.address):
            if time.monotonic() > deadline_s:
                raise BenchmarkError(f"the API process has not loaded:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield api


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health/ready", timeout=5):  # noqa: S310 - ours
            return True
    except (urllib.error.URLError, OSError):
        return False
