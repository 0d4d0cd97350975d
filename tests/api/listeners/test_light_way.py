"""Who may take the light way where not everyone may call: never more than the ASGI way lets in."""

import pytest

from api.answers import DONE, Answer, Header
from api.devices.light_calls import LightCalls
from api.listeners.callers import Callers
from api.listeners.peer import Peer
from settings import load
from tests.api.listeners.authority import Authority
from tests.api.listeners.test_callers import HOST, PROXIED, PROXY, PROXYS_OWN, rfc_9440

DEVICE = Peer(frozenset(), "kiosk-7", "shops")


class Plane:
    """Nobody asks it here."""

    def take(self, *_: object) -> Answer:
        """Whatever it is."""
        return DONE


class Feed:
    """Never lost."""

    def is_lost(self) -> bool:
        """As long as this runs."""
        return False


def light(**variables: str) -> LightCalls:
    """Of a listener with these settings."""
    return LightCalls(Plane(), Feed(), 1000, Callers(load(variables).device))


def block(*headers: Header) -> bytes:
    """A header block."""
    return b"\r\n" + b"".join(b"%s: %s\r\n" % header for header in headers) + b"\r\n"


@pytest.mark.parametrize(
    ("certificate", "expected"), [(HOST, True), (DEVICE, False), (PROXYS_OWN, False), (None, False)]
)
def test_without_a_proxy_the_certificate_decides(certificate: Peer | None, expected: bool) -> None:  # noqa: FBT001
    """For the whole connection."""
    calls = light(MUSTER_DEVICE_CLIENT_NAMES="edge.example")
    assert calls.is_for(PROXY, certificate) is expected
    assert calls.is_for("10.1.2.3", certificate) is expected


@pytest.mark.parametrize(
    ("address", "certificate", "expected"),
    [(PROXY, None, True), (PROXY, PROXYS_OWN, True), ("10.1.2.3", None, False), (PROXY, HOST, False)],
)
def test_behind_a_proxy_only_its_connections_may(address: str, certificate: Peer | None, expected: bool) -> None:  # noqa: FBT001
    """The Edge API itself, should it come past the proxy, is let in the other way: its blocks have no header."""
    calls = light(**PROXIED, MUSTER_DEVICE_PROXY_NAMES="proxy.example")
    assert calls.is_for(address, certificate) is expected


def test_a_block_is_known_by_whom_it_names(authority: Authority) -> None:
    """That of the Edge API is learnt; that of a device, of nobody or of two is not, and so refused by the other way."""
    calls = light(**PROXIED)
    edge_api = (b"client-cert", rfc_9440(authority.host()))
    device = (b"client-cert", rfc_9440(authority.device("kiosk-9", "shops")))
    for headers, is_known in [([edge_api], True), ([device], False), ([], False), ([edge_api, edge_api], False)]:
        calls.learn(block(*headers), headers, PROXY, None, is_last=False)
        assert (calls.head(block(*headers)) is not None) is is_known
