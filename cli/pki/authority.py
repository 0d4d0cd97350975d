"""A certificate authority as Flotta's operator makes one, to try mutual TLS without a running Flotta.

Subjects and SANs are those of CONTRACT.md “Who may register”: hosts have `O=flotta-operator, CN=*` and SANs, devices
have their namespace as OU, their id as CN and never a SAN. Unlike Flotta's, every serial number is its own.
"""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ORGANISATION: Final = "flotta-operator"

LOOPBACK: Final = ("127.0.0.1", "::1")

_CA_DAYS: Final = 3650
_BACKDATED: Final = timedelta(hours=1)
"""Clocks of other machines may be behind."""


class Issued(NamedTuple):
    """A certificate and its key in PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs certificates that end `days` after `now`; its own lasts ten years."""

    def __init__(self, now: datetime, days: int) -> None:
        self._now = now
        self._days = days
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(ORGANISATION)
        builder = self._builder(self._name, self._key.public_key(), _CA_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self._certificate = builder.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.issued = Issued(_pem(self._certificate), _key_pem(self._key))

    def server(self, names: Sequence[str]) -> Issued:
        """What Muster shows to the Edge API; also for the management plane."""
        return self._issue(_name(ORGANISATION, common_name=names[0]), names, [ExtendedKeyUsageOID.SERVER_AUTH])

    def host(self, domain: str) -> Issued:
        """The Edge API's own: it serves devices with it and shows it to Muster."""
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._issue(_name(ORGANISATION, common_name="*"), (domain, *LOOPBACK), usages)

    def device(self, device_id: str, namespace: str) -> Issued:
        """A registered device's."""
        subject = _name(ORGANISATION, unit=namespace, common_name=device_id)
        return self._issue(subject, (), [ExtendedKeyUsageOID.CLIENT_AUTH])

    def _issue(self, subject: x509.Name, names: Sequence[str], usages: list[x509.ObjectIdentifier]) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(subject, key.public_key(), self._days)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(authority_key, critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_san(name) for name in names]), critical=False)
        return Issued(_pem(builder.sign(self._key, hashes.SHA256())), _key_pem(key))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(self._now - _BACKDATED).not_valid_after(self._now + timedelta(days=days))
        return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _name(organisation: str, *, unit: str = "", common_name: str = "") -> x509.Name:
    parts = [
        (NameOID.ORGANIZATION_NAME, organisation),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        (NameOID.COMMON_NAME, common_name),
    ]
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts if value])


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
