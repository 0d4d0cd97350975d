"""Who is at the other end of a connection, by the certificate that TLS has verified already."""

import functools
import ipaddress
import ssl
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

SCOPE_KEY: Final = "muster.peer"
"""Under `extensions` of the ASGI scope; absent where no certificate was asked for."""


class Peer(NamedTuple):
    """A verified client. `names` are its SANs; `unit` is the subject's OU, in which devices carry their namespace.

    `ends_at_s` is when its certificate ends, Unix time, 0 where that is not known.
    """

    names: frozenset[str]
    common_name: str
    unit: str
    ends_at_s: float = 0.0

    @property
    def is_device(self) -> bool:
        """Device certificates have an OU and never a SAN (CONTRACT.md “Who may register”)."""
        return not self.names and bool(self.unit)


def peer_of(certificate: dict[str, Any] | None) -> Peer | None:
    """From what `getpeercert` gives."""
    if not certificate:
        return None
    return _peer(certificate.get("subject", ()), certificate.get("subjectAltName", ()), certificate.get("notAfter", ""))


@functools.lru_cache(maxsize=256)
def _peer(subject: tuple[Any, ...], alternative_names: tuple[Any, ...], not_after: str) -> Peer:
    """Remembered, since an Edge API comes with the same certificate over ever new connections; takes 0.1 ms."""
    said = {name: value for part in subject for name, value in part}
    names = (value for kind, value in alternative_names if kind in ("DNS", "IP Address"))
    ends_at_s = float(ssl.cert_time_to_seconds(not_after)) if not_after else 0.0
    return Peer(spelled_alike(names), said.get("commonName", ""), said.get("organizationalUnitName", ""), ends_at_s)


def spelled_alike(names: Iterable[str]) -> frozenset[str]:
    """Names in lower case and addresses in their shortest form, so that they can be compared."""
    return frozenset(_spelled(name.strip()) for name in names if name.strip())


def _spelled(name: str) -> str:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name.lower()
    # A listener of both families shows IPv4 as IPv6.
    return str(getattr(address, "ipv4_mapped", None) or address)
