"""A proxy that ends TLS in front of the device plane, set up as `deploy/` says, and Muster behind it."""

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from local.free_ports import free_port
from tests.api.fleet import Device
from tests.api.go_client import BASE, GoClient, path_of
from tests.api.installation import Api, api_process
from tests.api.listeners.authority import Authority, Pair
from tests.api.listeners.conftest import Listening
from tests.api.listeners.proxies import haproxy, nginx
from tests.api.listeners.test_callers import rfc_9440

READ = path_of("nobody", "configuration")

Proxy = Callable[[Pair, Path, int, Path], AbstractContextManager[int]]


class Behind(NamedTuple):
    """An API process that listens for a proxy at `device_port`."""

    api: Api
    device_port: int


@pytest.fixture(scope="module")
def behind(
    variables: dict[str, str],
    deciding: object,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Behind]:
    """Plain HTTP on loopback, for the proxy alone."""
    port = free_port()
    settings = {
        "DEVICE_PORT": port,
        "DEVICE_PROXY_HEADER": "Client-Cert",
        "DEVICE_CLIENT_NAMES": "edge.example",
    }
    with api_process(variables, tmp_path_factory.mktemp("behind") / "log", **settings) as api:
        yield Behind(api, port)


@pytest.fixture(scope="module", params=[haproxy, nginx], ids=["haproxy", "nginx"])
def proxied(
    request: pytest.FixtureRequest, behind: Behind, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Listening]:
    """The proxy's port, in the place of a device plane that speaks TLS itself."""
    proxy: Proxy = request.param
    with proxy(authority.server(), authority.file, behind.device_port, tmp_path_factory.mktemp("proxy")) as port:
        yield Listening(behind.api, port, authority)


def test_the_edge_api_is_let_in_and_a_device_is_not(proxied: Listening, host: Pair, authority: Authority) -> None:
    """The proxy verifies both and says who they are; Muster refuses the device, counts and logs it."""
    answer = proxied.get(READ, host)
    assert (answer.status_code, "nobody" in answer.json()["message"]) == (404, True)
    before = proxied.metric("muster_device_plane_peers_refused_total", peer="device")
    answer = proxied.get(READ, authority.device("kiosk-8", "shops"))
    assert answer.status_code == 403
    assert "a device's certificate ('kiosk-8' of 'shops')" in answer.json()["message"]
    assert proxied.metric("muster_device_plane_peers_refused_total", peer="device") == before + 1
    assert "kiosk-8" in proxied.api.log.read_text()


@pytest.mark.parametrize("name", ["Client-Cert", "client-cert", "CLIENT-CERT"])
def test_a_forged_header_is_stripped(proxied: Listening, host: Pair, authority: Authority, name: str) -> None:
    """A device that sends the Edge API's certificate in the header, once or twice, is still the device."""
    forged = rfc_9440(host).decode()
    context = authority.client_context(authority.device("forger"))
    with httpx.Client(verify=context, trust_env=False) as client:
        url = f"https://127.0.0.1:{proxied.device_port}{READ}"
        answer = client.get(url, headers=[(name, forged), (name, forged)])
    assert answer.status_code == 403
    assert "'forger'" in answer.json()["message"]


@pytest.mark.parametrize("who", ["none", "another CA", "expired"])
def test_strangers_get_no_answer(proxied: Listening, authority: Authority, tmp_path: Path, who: str) -> None:
    """The proxy asks for a certificate of the Flotta CA as Muster itself does."""
    pairs = {
        "none": None,
        "another CA": Authority(tmp_path, "another").host(),
        "expired": authority.host("expired-at-proxy", valid=timedelta(days=-1)),
    }
    with pytest.raises(httpx.TransportError):
        proxied.get(READ, pairs[who])


def test_the_proxy_speaks_what_the_edge_api_can(proxied: Listening, authority: Authority, host: Pair) -> None:
    """TLS 1.3 and nothing older, and no h2."""
    context = authority.client_context(host)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", proxied.device_port), 5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        assert secured.version() == "TLSv1.3"
        assert secured.selected_alpn_protocol() in ("http/1.1", None)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(httpx.TransportError):
        proxied.get_with(READ, context)


def test_no_session_is_resumed(proxied: Listening, authority: Authority, host: Pair) -> None:
    """A certificate that was revoked since would not be looked at again."""
    context = authority.client_context(host)
    sessions: list[ssl.SSLSession | None] = [None]
    for _ in range(2):
        with (
            socket.create_connection(("127.0.0.1", proxied.device_port), 5) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1", session=sessions[-1]) as secured,
        ):
            secured.sendall(f"GET {READ} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            assert secured.recv(100).startswith(b"HTTP/1.1 404")
            assert not secured.session_reused
            sessions.append(secured.session)


def test_heartbeats_pass_as_they_are(proxied: Listening, authority: Authority, host: Pair, registered: Device) -> None:
    """200 without a body, the connection kept, the position in its header."""
    with GoClient(proxied.device_port, tls=authority.client_context(host)) as edge:
        path = path_of(registered.device_id, "heartbeat")
        answers = [edge.call("PUT", path, {"status": "up", "version": str(beat)}) for beat in range(10)]
        assert {answer.status for answer in answers} <= {200, 503}
        accepted = [answer for answer in answers if answer.status == 200]
        assert all(answer.header("content-length") == "0" for answer in accepted)
        assert all(answer.header("muster-position") for answer in accepted)
        assert accepted
        assert edge.connections == 1


@pytest.mark.parametrize("device_id", ["a%2Fb", "a%3Bb", "Dev1", "%2A", "%64ev1"])
def test_ids_reach_muster_as_they_were_sent(
    proxied: Listening, authority: Authority, host: Pair, device_id: str
) -> None:
    """A proxy that decoded them would make other devices of them."""
    with GoClient(proxied.device_port, tls=authority.client_context(host)) as edge:
        answer = edge.call("GET", f"{BASE}/namespaces/default/devices/{device_id}/registration")
        assert answer.status == 400
        assert "device id" in answer.json["message"]


def test_the_header_from_elsewhere_than_the_proxy_is_refused(behind: Behind, host: Pair) -> None:
    """From another address of this machine, with the bytes that the proxy's own connections have been let in with."""
    for address in ("127.0.0.2", "127.0.0.1", "127.0.0.1", "127.0.0.2"):
        expected = 404 if address == "127.0.0.1" else 403
        connection = http.client.HTTPConnection("127.0.0.1", behind.device_port, 10, source_address=(address, 0))
        connection.request("GET", READ, headers={"Client-Cert": rfc_9440(host).decode()})
        answer = connection.getresponse()
        message = json.loads(answer.read())["message"]
        connection.close()
        assert answer.status == expected
        assert ("MUSTER_DEVICE_PROXY_ADDRESSES" in message) is (expected == 403)


def test_a_call_past_the_proxy_is_refused(behind: Behind) -> None:
    """Without a header nobody said who calls; it is counted as unknown."""
    answer = httpx.get(f"http://127.0.0.1:{behind.device_port}{READ}")
    assert answer.status_code == 403
    assert "the proxy must pass the client's certificate in Client-Cert: it is missing" in answer.json()["message"]
    assert "it is missing" in behind.api.log.read_text()


def test_haproxy_says_in_json_that_muster_is_away(authority: Authority, host: Pair, tmp_path: Path) -> None:
    """Errors have a message on every path, the proxy's own included."""
    with haproxy(authority.server("away"), authority.file, free_port(), tmp_path) as port:
        url = f"https://127.0.0.1:{port}{READ}"
        answer = httpx.get(url, verify=authority.client_context(host), trust_env=False)
        assert answer.status_code == 503
        assert answer.headers["Content-Type"] == "application/json"
        assert "does not reach Muster" in answer.json()["message"]
