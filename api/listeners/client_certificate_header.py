"""Reads the client's certificate from the header in which a proxy that verified it passes it on.

Two spellings: base64 of the DER between colons (RFC 9440, what HAProxy writes here) and percent-encoded PEM (nginx'
`$ssl_client_escaped_cert`). Nothing is verified again: whoever may send the header has done it.
"""

import base64
import binascii
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.x509.oid import NameOID

from api.listeners.peer import Peer, spelled_alike

_REMEMBERED: Final = 256
"""Certificates whose parsed form is kept: parsing takes 50 µs, and an Edge API comes with the same one every time."""

_LONGEST_BYTES: Final = 16_384
"""Of a header; a certificate has one to three thousand."""


class CertificateHeaderError(Exception):
    """The header does not hold one certificate; the message says why."""


class CertificateHeaders:
    """Parses headers, the same one once. Bounded."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Peer] = OrderedDict()

    def peer(self, values: Sequence[bytes]) -> Peer:
        """The client in the header's values, of which there must be one. Raises CertificateHeaderError."""
        if len(values) != 1:
            raise CertificateHeaderError(f"it came {len(values)} times" if values else "it is missing")
        value = values[0]
        known = self._known.get(value)
        if known is None:
            known = self._known[value] = _parsed(value)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known


def _parsed(value: bytes) -> Peer:
    if not value.strip(b": "):
        raise CertificateHeaderError("it is empty, since the client showed no certificate")
    if len(value) > _LONGEST_BYTES:
        raise CertificateHeaderError(f"it is longer than {_LONGEST_BYTES} bytes")
    try:
        if value.startswith(b":"):
            certificate = x509.load_der_x509_certificate(base64.b64decode(value.strip(b":"), validate=True))
        else:
            certificate = x509.load_pem_x509_certificate(unquote_to_bytes(value))
        return _peer(certificate)
    except (ValueError, binascii.Error, x509.DuplicateExtension) as error:
        raise CertificateHeaderError("what it holds is no certificate") from error


def _peer(certificate: x509.Certificate) -> Peer:
    common_name, unit = NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME
    ends_at_s = certificate.not_valid_after_utc.timestamp()
    return Peer(_names(certificate), _last(certificate, common_name), _last(certificate, unit), ends_at_s)


def _names(certificate: x509.Certificate) -> frozenset[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    names = found.get_values_for_type(x509.DNSName)
    return spelled_alike([*names, *map(str, found.get_values_for_type(x509.IPAddress))])


def _last(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    values = [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(oid)]
    return values[-1] if values else ""
