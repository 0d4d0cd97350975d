"""Certificates, keys and lists of revoked certificates in PEM, judged before anything is started with them.

OpenSSL names neither the file nor what is wrong with it; these errors name the setting and what to change.
"""

import re
import ssl
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from settings.load import SettingsError
from settings.named_files import NamedFile, read_named

_CERTIFICATE: Final = b"CERTIFICATE"
_REVOKED: Final = b"X509 CRL"
_KEY: Final = rb"(?:[A-Z0-9]+ )*PRIVATE KEY"
"""Labels of blocks, as patterns; a key's may say of which kind it is."""

_T = TypeVar("_T")


def read_certificates(file: NamedFile) -> list[x509.Certificate]:
    """All of them, at least one. Raises SettingsError."""
    return _parsed(file, _CERTIFICATE, "certificate", x509.load_pem_x509_certificate)


def read_revoked(file: NamedFile) -> list[x509.CertificateRevocationList]:
    """All lists, at least one. Raises SettingsError."""
    return _parsed(file, _REVOKED, "list of revoked certificates", x509.load_pem_x509_crl)


def require_pair(certificate: NamedFile, key: NamedFile) -> None:
    """Raise SettingsError unless the key is that of the chain's first certificate, and usable without a passphrase."""
    own = read_certificates(certificate)[0]
    private = _parsed(key, _KEY, "private key", _private_key)[0]
    try:
        is_pair = _public(own) == _public(private)
    except UnsupportedAlgorithm:
        # Compared by OpenSSL when the two are loaded.
        return
    if not is_pair:
        raise SettingsError(
            f"{key} is not the key of the first certificate in {certificate}: name two files that were made together"
        )


def verifying(file: NamedFile | None) -> ssl.SSLContext:
    """What verifies servers by the CAs of that file; None: by the system's. Raises SettingsError."""
    if file:
        read_certificates(file)
    try:
        return ssl.create_default_context(cafile=file.path if file else None)
    except OSError as error:
        raise SettingsError(f"{file or 'the CAs of the system'} cannot be used: {words_of(error)}") from error


def load_pair(context: ssl.SSLContext, certificate: NamedFile, key: NamedFile) -> None:
    """What the context shows to the other end. Raises SettingsError."""
    require_pair(certificate, key)
    try:
        context.load_cert_chain(certificate.path, key.path)
    except (OSError, ValueError) as error:
        # Such as a key that is shorter than OpenSSL allows.
        raise SettingsError(f"OpenSSL does not take {certificate} with {key}: {words_of(error)}") from error


def words_of(error: Exception) -> str:
    """What the system or OpenSSL says about it."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _parsed(file: NamedFile, label: bytes, what: str, parse: Callable[[bytes], _T]) -> list[_T]:
    blocks = _blocks(read_named(file), label)
    if not blocks:
        begins = label.rpartition(b"*")[2].decode()
        raise SettingsError(f"{file} holds no {what} in PEM: name the file that begins with -----BEGIN {begins}-----")
    try:
        return [parse(block) for block in blocks]
    except TypeError as error:
        raise SettingsError(
            f"{file} is encrypted with a passphrase, which nobody is there to type: store it without"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{file} holds a {what} that cannot be read, perhaps not all of it: {error}") from error


def _blocks(content: bytes, label: bytes) -> Sequence[bytes]:
    pattern = rb"-----BEGIN (%b)-----.*?-----END \1-----" % label
    return [found.group() for found in re.finditer(pattern, content, re.DOTALL)]


def _private_key(block: bytes) -> PrivateKeyTypes:
    return serialization.load_pem_private_key(block, password=None)


def _public(holder: x509.Certificate | PrivateKeyTypes) -> bytes:
    return holder.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
