"""Who is at the other end, from a certificate that was verified: through real handshakes in memory."""

import ssl

from cryptography import x509

from api.listeners.peer import peer_of, spelled_alike
from tests.api.listeners.authority import Authority, Pair


def peer_certificate(authority: Authority, client: Pair) -> dict[str, object]:
    """What the server's side knows of its client after the handshake."""
    server = authority.server("in-memory")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = context.wrap_bio(to_server, to_client, server_side=True)
    there = authority.client_context(client).wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    waiting = [there, here]
    while waiting:
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                continue
    found: dict[str, object] = here.getpeercert() or {}
    return found


def test_a_host_is_known_by_its_names(authority: Authority) -> None:
    """In lower case, addresses in their shortest form; no device, and its end is known."""
    pair = authority.issue("spelled", names=["Edge.Example", "0:0:0:0:0:0:0:1", "127.0.0.1"])
    peer = peer_of(peer_certificate(authority, pair))
    assert peer
    assert (peer.names, peer.common_name, peer.unit) == ({"edge.example", "::1", "127.0.0.1"}, "*", "")
    assert not peer.is_device
    end = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).not_valid_after_utc
    assert peer.ends_at_s == end.timestamp()


def test_a_device_is_known_by_its_unit_and_has_no_names(authority: Authority) -> None:
    """Each by its own certificate, although what was read is remembered."""
    for device, namespace in (("d1", "shops"), ("d2", "shops"), ("d1", "labs")):
        peer = peer_of(peer_certificate(authority, authority.device(device, namespace)))
        assert peer
        assert (peer.is_device, peer.common_name, peer.unit) == (True, device, namespace)


def test_without_a_certificate_there_is_nobody() -> None:
    """Nobody was asked."""
    assert peer_of(None) is None
    assert peer_of({}) is None


def test_a_name_has_one_spelling() -> None:
    """IPv4 shown as IPv6 is IPv4."""
    assert spelled_alike([" A.example ", "::ffff:127.0.0.1", "", "0::1"]) == {"a.example", "127.0.0.1", "::1"}
