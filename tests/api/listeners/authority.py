"""A CA as Flotta's operator makes one, with certificates for hosts and devices, all made for one test."""

import ipaddress
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FLOTTA_SERIAL = 2019
"""CA, host and registration certificates of an installation share one (CONTRACT.md “Who may register”)."""


class Pair(NamedTuple):
    """A certificate and its key, as files."""

    certificate: Path
    key: Path

    @property
    def arguments(self) -> list[str]:
        """For curl."""
        return ["--cert", str(self.certificate), "--key", str(self.key)]


class Authority:
    """Signs what a test asks for; its files lie in `folder`."""

    def __init__(self, folder: Path, name: str = "flotta-operator") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)])
        builder = self._builder(self._name, self._key.public_key(), FLOTTA_SERIAL, timedelta(days=3650))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file = folder / f"{name}-ca.crt"
        self.file.write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))

    def issue(
        self,
        file_name: str,
        *,
        common_name: str = "*",
        unit: str = "",
        names: Sequence[str] = (),
        valid: timedelta = timedelta(days=365),
        serial: int | None = None,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
    ) -> Pair:
        """A certificate with `names` as SANs; with a negative `valid` it has ended."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [(NameOID.ORGANIZATION_NAME, "flotta-operator"), (NameOID.COMMON_NAME, common_name)]
        subject += [(NameOID.ORGANIZATIONAL_UNIT_NAME, unit)] if unit else []
        name = x509.Name([x509.NameAttribute(kind, value) for kind, value in subject])
        builder = self._builder(name, key.public_key(), serial or x509.random_serial_number(), valid)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_san, names))), critical=False)
        pair = Pair(self._folder / f"{file_name}.crt", self._folder / f"{file_name}.key")
        pair.certificate.write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return pair

    def host(self, file_name: str = "host", **further: object) -> Pair:
        """The Edge API's own certificate."""
        return self.issue(file_name, names=["edge.example", "127.0.0.1", "::1"], **further)  # type: ignore[arg-type]

    def device(self, device_id: str, namespace: str = "default") -> Pair:
        """A registered device's certificate: no SAN, its namespace as OU."""
        return self.issue(device_id, common_name=device_id, unit=namespace)

    def server(self, file_name: str = "server", valid: timedelta = timedelta(days=365)) -> Pair:
        """Muster's certificate."""
        return self.issue(file_name, names=["127.0.0.1"], valid=valid, usage=ExtendedKeyUsageOID.SERVER_AUTH)

    def revoke(self, *pairs: Pair, valid: timedelta = timedelta(days=30)) -> Path:
        """Write the list of revoked certificates: exactly these."""
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self._name).last_update(now - timedelta(hours=1))
        builder = builder.next_update(now + valid)
        for pair in pairs:
            serial = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).serial_number
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(revoked)
        file = self._folder / "revoked.crl"
        file.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return file

    def client_context(self, pair: Pair | None) -> ssl.SSLContext:
        """As a client of this CA's servers has it."""
        context = ssl.create_default_context(cafile=self.file)
        # The CA has no key identifiers, as Flotta's has none.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if pair:
            context.load_cert_chain(pair.certificate, pair.key)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, serial: int, valid: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        begin = min(now, now + valid) - timedelta(days=1)
        return builder.serial_number(serial).not_valid_before(begin).not_valid_after(now + valid)


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
