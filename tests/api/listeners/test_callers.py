"""Who is believed about who calls: without sockets, with certificates made here."""

import base64
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from api.listeners.callers import Callers, RefusedCallerError
from api.listeners.peer import Peer, spelled_alike
from settings import load
from tests.api.listeners.authority import Authority, Pair

PROXY = "127.0.0.1"
HEADER = b"client-cert"
PROXIED = {"MUSTER_DEVICE_PROXY_HEADER": "Client-Cert", "MUSTER_DEVICE_CLIENT_NAMES": "edge.example"}
HOST = Peer(frozenset({"edge.example"}), "*", "")
PROXYS_OWN = Peer(frozenset({"proxy.example"}), "proxy", "")


def callers(**further: str) -> Callers:
    """Behind a proxy, with further settings."""
    return Callers(load(PROXIED | {f"MUSTER_DEVICE_{name}": value for name, value in further.items()}).device)


def rfc_9440(pair: Pair) -> bytes:
    """As HAProxy is told to write it."""
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    return b":" + base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)) + b":"


def escaped_pem(pair: Pair) -> bytes:
    """As nginx writes `$ssl_client_escaped_cert`."""
    return quote(pair.certificate.read_text()).encode()


@pytest.mark.parametrize("spelling", [rfc_9440, escaped_pem])
def test_the_proxy_is_believed(authority: Authority, spelling: Callable[[Pair], bytes]) -> None:
    """In either spelling, from its address in either family: the Edge API passes, a device of its CA does not."""
    judge = callers()
    for address in (PROXY, "::1", "::ffff:127.0.0.1"):
        judge.check(address, [(b"accept", b"*/*"), (HEADER, spelling(authority.host()))], None)
    with pytest.raises(RefusedCallerError, match="a device's certificate \\('kiosk-9' of 'shops'\\)") as refused:
        judge.check(PROXY, [(HEADER, spelling(authority.device("kiosk-9", "shops")))], None)
    assert refused.value.peer
    assert refused.value.peer.is_device


@pytest.mark.parametrize("address", ["127.0.0.2", "10.1.2.3", "::2", "", "proxy"])
def test_the_header_from_anyone_else_says_nothing(authority: Authority, address: str) -> None:
    """By the address of the connection, whatever the header holds."""
    with pytest.raises(RefusedCallerError, match="MUSTER_DEVICE_PROXY_ADDRESSES"):
        callers().check(address, [(HEADER, rfc_9440(authority.host()))], None)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "missing"),
        ([b""], "showed no certificate"),
        ([b"::"], "showed no certificate"),
        ([b"edge.example"], "no certificate"),
        ([b":AAAA:"], "no certificate"),
        ([b":!:"], "no certificate"),
        ([b"-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----"], "no certificate"),
        ([b":" + b"A" * 20_000 + b":"], "longer"),
    ],
)
def test_a_header_that_names_nobody_is_refused(values: list[bytes], said: str) -> None:
    """A proxy that does not verify, or passes something else."""
    with pytest.raises(RefusedCallerError, match=said) as refused:
        callers().check(PROXY, [(HEADER, value) for value in values], None)
    assert refused.value.peer is None


def test_two_headers_are_refused(authority: Authority) -> None:
    """One of them came from outside: the proxy does not strip it."""
    with pytest.raises(RefusedCallerError, match="came 2 times"):
        callers().check(PROXY, [(HEADER, rfc_9440(authority.host()))] * 2, None)


def test_without_the_setting_the_header_says_nothing(authority: Authority) -> None:
    """Only the certificate that TLS verified here counts."""
    judge = Callers(load({"MUSTER_DEVICE_CLIENT_NAMES": "edge.example"}).device)
    judge.check(PROXY, [], HOST)
    other = Peer(frozenset({"other.example"}), "*", "")
    with pytest.raises(RefusedCallerError, match=r"other\.example"):
        judge.check(PROXY, [(HEADER, rfc_9440(authority.host()))], other)


def test_a_proxy_that_speaks_tls_is_known_by_its_own_certificate_too(authority: Authority) -> None:
    """Others with a certificate of the CA are judged by that, and the header they send is none."""
    judge = callers(PROXY_NAMES="proxy.example")
    headers = [(HEADER, rfc_9440(authority.host()))]
    judge.check(PROXY, headers, PROXYS_OWN)
    judge.check("10.1.2.3", [], HOST)
    with pytest.raises(RefusedCallerError, match="MUSTER_DEVICE_PROXY_ADDRESSES"):
        judge.check("10.1.2.3", headers, PROXYS_OWN)
    with pytest.raises(RefusedCallerError, match="'kiosk' of 'shops'"):
        judge.check(PROXY, headers, Peer(spelled_alike([]), "kiosk", "shops"))
    with pytest.raises(RefusedCallerError, match="missing"):
        judge.check(PROXY, [], PROXYS_OWN)


def test_a_certificate_is_read_once(authority: Authority, tmp_path: Path) -> None:
    """And no more of them are kept than an Edge API could have: a stranger's do not fill the memory."""
    judge = callers()
    value = rfc_9440(authority.host())
    judge.check(PROXY, [(HEADER, value)], None)
    for number in range(300):
        spelled = value[:-1] + b":" * (number + 2)
        judge.check(PROXY, [(HEADER, spelled)], None)
    assert len(judge._certificates._known) == 256
    with pytest.raises(RefusedCallerError):
        judge.check(PROXY, [(HEADER, rfc_9440(Authority(tmp_path).device("d")))], None)
