"""Who is at the other end of a connection, by the certificate that TLS has verified already."""

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
    subject = {name: value for part in certificate.get("subject", ()) for name, value in part}
    names = (value for kind, value in certificate.get("subjectAltName", ()) if kind in ("DNS", "IP Address"))
    unit = subject.get("organizationalUnitName", "")
    ends_at_s = float(ssl.cert_time_to_seconds(certificate["notAfter"])) if "notAfter" in certificate else 0.0
    return Peer(spelled_alike(names), subject.get("commonName", ""), unit, ends_at_s)


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
