"""Whether a call of the device plane comes from the Edge API, by a certificate verified here or by a proxy in front.

A header about the client is believed from the proxy alone: by its address and, where TLS goes on to us, by its own
certificate as well. From anyone else it says nothing; see docs/decisions/0032.
"""

from collections.abc import Callable, Iterable
from typing import Final

from api.answers import Header
from api.listeners.client_certificate_header import CertificateHeaderError, CertificateHeaders
from api.listeners.peer import Peer, spelled_alike
from fleet.errors import ForbiddenError
from fleet.names import shown
from settings.listeners import DeviceListenerSettings

_ONLY_EDGE_API: Final = "only the Edge API calls here"


class RefusedCallerError(ForbiddenError):
    """Someone else calls (403). `peer` is who, unless nobody trusted says so."""

    def __init__(self, message: str, peer: Peer | None) -> None:
        super().__init__(message)
        self.peer = peer


class Callers:
    """Judges callers, for all calls of a listener. `let_in` hears who was let in, once a connection or so."""

    def __init__(self, device: DeviceListenerSettings, let_in: Callable[[Peer], None] = lambda _: None) -> None:
        self._let_in = let_in
        self._names = spelled_alike(device.client_names.split(","))
        self._proxy_addresses = spelled_alike(device.proxy_addresses.split(","))
        self._proxy_names = spelled_alike(device.proxy_names.split(","))
        self._header = device.proxy_header.lower().encode()
        self._shown_header = device.proxy_header
        self._certificates = CertificateHeaders()

    def check(self, address: str, headers: Iterable[Header], certificate: Peer | None) -> None:
        """Raise RefusedCallerError unless the Edge API calls.

        `address` is the connection's other end, `headers` have lower-case names, `certificate` is whose TLS verified
        here.
        """
        self._judge(self._named_by_proxy(address, headers) if self._may_be_proxy(certificate) else certificate)

    def is_proxy_or_edge_api(self, address: str, certificate: Peer | None) -> bool:
        """Whether calls of this connection may be let in by what is known of it, or by header blocks let in before.

        With a proxy only its connections, since the same block means another caller where it does not come from it.
        """
        if self._header:
            return self._may_be_proxy(certificate) and _is_among(address, self._proxy_addresses)
        try:
            self._judge(certificate)
        except RefusedCallerError:
            return False
        return True

    def _may_be_proxy(self, certificate: Peer | None) -> bool:
        """Whether the headers are to say who calls: the proxy shows a certificate of its own, or none on plain HTTP."""
        return bool(self._header) and (certificate is None or not self._proxy_names.isdisjoint(certificate.names))

    def _judge(self, peer: Peer | None) -> None:
        if peer is None or self._names.isdisjoint(peer.names):
            raise _refused(peer)
        self._let_in(peer)

    def _named_by_proxy(self, address: str, headers: Iterable[Header]) -> Peer:
        if not _is_among(address, self._proxy_addresses):
            raise RefusedCallerError(
                f"{_ONLY_EDGE_API}, through the proxy (MUSTER_DEVICE_PROXY_ADDRESSES): this is {shown(address)}", None
            )
        given = [value for name, value in headers if name == self._header]
        try:
            return self._certificates.peer(given)
        except CertificateHeaderError as error:
            raise RefusedCallerError(
                f"the proxy must pass the client's certificate in {self._shown_header}: {error}", None
            ) from None


def _is_among(address: str, addresses: frozenset[str]) -> bool:
    # The usual spelling is found without parsing it.
    return address in addresses or not addresses.isdisjoint(spelled_alike([address]))


def _refused(peer: Peer | None) -> RefusedCallerError:
    if peer is None:
        return RefusedCallerError(f"{_ONLY_EDGE_API}: this is a client without a certificate", None)
    who = (
        f"a device's certificate ({shown(peer.common_name)} of {shown(peer.unit)})"
        if peer.is_device
        else f"a certificate of {shown(', '.join(sorted(peer.names)) or peer.common_name)}"
    )
    return RefusedCallerError(f"{_ONLY_EDGE_API} (MUSTER_DEVICE_CLIENT_NAMES): this is {who}", peer)
