"""Who gets a connection to the device plane, and who an answer: over real sockets."""

import shutil
import socket
import ssl
import subprocess
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.api.go_client import path_of
from tests.api.installation import until
from tests.api.listeners.authority import Authority, Pair
from tests.api.listeners.conftest import Listening

READ = path_of("nobody", "configuration")


def test_the_edge_apis_certificate_is_let_in(listening: Listening, host: Pair) -> None:
    """Its SAN is one of the names that the setting lists; serial numbers shared with the CA do not matter."""
    answer = listening.get(READ, host)
    assert answer.status_code == 404
    assert "message" in answer.json()


def test_a_device_of_the_same_ca_gets_403_with_a_reason(listening: Listening, authority: Authority) -> None:
    """Counted and logged: a device must not read what is meant for others."""
    before = listening.metric("muster_device_plane_peers_refused_total", peer="device")
    answer = listening.get(READ, authority.device("kiosk-7", "shops"))
    assert answer.status_code == 403
    assert "only the Edge API" in answer.json()["message"]
    assert "a device's certificate ('kiosk-7' of 'shops')" in answer.json()["message"]
    assert listening.metric("muster_device_plane_peers_refused_total", peer="device") == before + 1
    assert "kiosk-7" in listening.api.log.read_text()


def test_a_device_with_the_hosts_common_name_is_no_host(listening: Listening, authority: Authority) -> None:
    """Anyone may ask for any common name; SANs are what devices never get."""
    assert listening.get(READ, authority.issue("star", common_name="*", unit="default")).status_code == 403


def test_another_host_of_the_same_ca_gets_403(listening: Listening, authority: Authority) -> None:
    """A SAN alone is not enough, it must be listed."""
    answer = listening.get(READ, authority.issue("other-host", names=["other.example"]))
    assert answer.status_code == 403
    assert "other.example" in answer.json()["message"]


def test_a_refused_client_hears_why_although_it_sends_a_body(listening: Listening, authority: Authority) -> None:
    """The body is read before the connection closes."""
    context = authority.client_context(authority.device("sender"))
    with httpx.Client(verify=context) as client:
        url = f"https://127.0.0.1:{listening.device_port}{path_of('sender', 'heartbeat')}"
        assert client.put(url, content=b"x" * 300_000).status_code == 403


@pytest.mark.parametrize(
    ("who", "reason"),
    [("none", "no certificate"), ("another CA", "another CA"), ("expired", "expired")],
)
def test_strangers_get_no_connection(
    listening: Listening, authority: Authority, tmp_path: Path, who: str, reason: str
) -> None:
    """Nothing of HTTP is answered; the log and a metric say why."""
    pairs = {
        "none": None,
        "another CA": Authority(tmp_path, "another").host(),
        "expired": authority.host("expired", valid=timedelta(days=-1)),
    }
    labels = {"listener": "device", "reason": reason}
    before = listening.metric("muster_tls_connections_refused_total", **labels)
    with pytest.raises(httpx.TransportError):
        listening.get(READ, pairs[who])
    until(lambda: listening.metric("muster_tls_connections_refused_total", **labels) == before + 1)
    assert reason in listening.api.log.read_text()


def test_plain_http_gets_no_answer_at_the_device_plane(listening: Listening) -> None:
    """There is https only."""
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{listening.device_port}{READ}")


def test_tls_1_2_is_refused_by_default(listening: Listening, authority: Authority, host: Pair) -> None:
    """The Edge API speaks 1.3 alone."""
    context = authority.client_context(host)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(httpx.TransportError):
        listening.get_with(READ, context)


def test_h2_is_never_agreed_on(listening: Listening, authority: Authority, host: Pair) -> None:
    """The Edge API announces it by accident and cannot speak it."""
    context = authority.client_context(host)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", listening.device_port), 5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        assert (secured.version(), secured.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")


def test_each_plane_answers_at_its_own_address(listening: Listening, host: Pair) -> None:
    """The way around the certificate would be the other listener, in any spelling of the path."""
    assert listening.get("/api/v1/namespaces", host).status_code == 404
    for path in (READ, READ.replace("-", "%2D", 1), "/" + READ, READ.replace("/v1", "//v1")):
        answer = httpx.get(listening.api.url + path)
        assert answer.status_code == 404, path
        assert "nobody" not in answer.json()["message"]
    assert httpx.get(f"{listening.api.url}/api/v1/namespaces").status_code == 200


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_gets_the_same(listening: Listening, authority: Authority, host: Pair) -> None:
    """What an operator tries by hand: the host's certificate is answered, a device's refused, none is cut off."""
    url = f"https://127.0.0.1:{listening.device_port}{READ}"
    curl = ["curl", "--silent", "--noproxy", "*", "--max-time", "10", "--write-out", "\n%{http_code}", "--cacert"]

    def answer(*arguments: str) -> tuple[int, str]:
        run = subprocess.run(
            [*curl, str(authority.file), *arguments, url], capture_output=True, text=True, timeout=20, check=False
        )
        return run.returncode, run.stdout.rpartition("\n")[2]

    assert answer(*host.arguments) == (0, "404")
    assert answer(*authority.device("curl-device").arguments) == (0, "403")
    code, status = answer()
    assert code != 0
    assert status == "000"
