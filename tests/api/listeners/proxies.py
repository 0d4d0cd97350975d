"""HAProxy and nginx as `deploy/` sets them up, in front of a device plane, with the certificates of a test."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.free_ports import free_port
from tests.api.installation import until
from tests.api.listeners.authority import Pair
from tests.cli.muster import PROJECT, environment

DEPLOY = PROJECT / "deploy"


@contextmanager
def haproxy(server: Pair, client_ca: Path, backend_port: int, folder: Path) -> Iterator[int]:
    """The port at which HAProxy listens."""
    port = free_port()
    variables = {
        "MUSTER_PROXY_BIND": f"127.0.0.1:{port}",
        "MUSTER_PROXY_CERTIFICATE": str(server.certificate),
        "MUSTER_PROXY_CLIENT_CA": str(client_ca),
        "MUSTER_PROXY_BACKEND": f"127.0.0.1:{backend_port}",
    }
    argv = [_installed("haproxy"), "-db", "-f", str(DEPLOY / "haproxy" / "haproxy.cfg")]
    with _running(argv, variables, port, folder / "haproxy.log"):
        yield port


@contextmanager
def nginx(server: Pair, client_ca: Path, backend_port: int, folder: Path) -> Iterator[int]:
    """The port at which nginx listens, in the foreground and with files of its own."""
    port = free_port()
    site = (DEPLOY / "nginx" / "muster.conf").read_text()
    for told, used in (
        (r"127\.0\.0\.1:8444", f"127.0.0.1:{backend_port}"),
        (r"listen 8443", f"listen 127.0.0.1:{port}"),
        (r"/etc/muster/server\.crt", str(server.certificate)),
        (r"/etc/muster/server\.key", str(server.key)),
        (r"/etc/muster/ca\.crt", str(client_ca)),
    ):
        site, found = re.subn(told, used, site)
        assert found == 1, told
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log stderr notice; events {{}}\n"
        f"http {{ access_log off; {paths}\n{site} }}\n"
    )
    argv = [_installed("nginx"), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with _running(argv, {}, port, folder / "nginx.log"):
        yield port


def _installed(program: str) -> str:
    path = shutil.which(program, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/bin")
    if path is None:
        pytest.skip(f"{program} is not installed (a package of that name on Debian)")
    return path


@contextmanager
def _running(argv: list[str], variables: dict[str, str], port: int, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(argv, env={**environment(), **variables}, stdout=output, stderr=subprocess.STDOUT)
    try:
        until(lambda: process.poll() is not None or _listens(port), 10, log.read_text)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
