"""A CA with Muster's and the Edge API's certificates, all of one kind of key."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KeyKind = Literal["RSA-2048", "ECDSA P-256"]

_RSA_BITS: Final = 2048
_RSA_EXPONENT: Final = 65537
_LASTS: Final = timedelta(days=2)


class Pair(NamedTuple):
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Certificates(NamedTuple):
    """What both sides need. `host` is the Edge API's."""

    ca: Path
    server: Pair
    host: Pair


def make_certificates(folder: Path, kind: KeyKind) -> Certificates:
    """Write them all to a folder of their own."""
    folder.mkdir(parents=True)
    ca_key, ca_name = _key(kind), _name("flotta-operator", "ca")
    ca = _builder(ca_name, ca_name, ca_key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    (folder / "ca.crt").write_bytes(_pem(ca.sign(ca_key, hashes.SHA256())))

    def issue(file: str, usage: x509.ObjectIdentifier) -> Pair:
        key = _key(kind)
        builder = _builder(_name("flotta-operator", "*"), ca_name, key)
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        pair = Pair(folder / f"{file}.crt", folder / f"{file}.key")
        pair.certificate.write_bytes(_pem(builder.sign(ca_key, hashes.SHA256())))
        encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        pair.key.write_bytes(key.private_bytes(*encoding))
        return pair

    server = issue("server", ExtendedKeyUsageOID.SERVER_AUTH)
    return Certificates(folder / "ca.crt", server, issue("host", ExtendedKeyUsageOID.CLIENT_AUTH))


def _key(kind: KeyKind) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if kind == "RSA-2048":
        return rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def _name(organisation: str, common_name: str) -> x509.Name:
    pairs = (NameOID.ORGANIZATION_NAME, organisation), (NameOID.COMMON_NAME, common_name)
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in pairs])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + _LASTS)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
