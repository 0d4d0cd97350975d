"""Reads the CSR of a registration: its key is the device's identity, and only the holder of the key can have signed it.

Source: CONTRACT.md “Who may register”.
"""

import hashlib
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleet.errors import BadInputError

_LIMIT_CHARACTERS: Final = 20_000
"""A CSR with an RSA key of 16 kbit has about 6,000 characters; verifying larger keys would take long."""

_REMEMBERED: Final = 4096
_REMEMBERED_CHARACTERS: Final = 2000
"""Checking takes 0.1 ms, and a device that is approved at once sends the same within seconds again. All those together
take 8 MB at most."""


def key_fingerprint(certificate_request: str | None) -> str:
    """Hex SHA-256 of the DER SubjectPublicKeyInfo of a PEM CSR whose signature was verified. Raises BadInputError."""
    if not certificate_request:
        raise BadInputError(
            "the registration has no certificate_request: send the CSR in PEM, since its key identifies the device"
        )
    if len(certificate_request) > _LIMIT_CHARACTERS:
        raise BadInputError(f"the certificate_request is longer than {_LIMIT_CHARACTERS} characters")
    if len(certificate_request) > _REMEMBERED_CHARACTERS:
        return _verified(certificate_request)
    return _remembered(certificate_request)


def _verified(certificate_request: str) -> str:
    try:
        request = x509.load_pem_x509_csr(certificate_request.encode())
        if not request.is_signature_valid:
            raise BadInputError("the certificate_request is not signed by the key it carries")
        key = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise BadInputError(f"the certificate_request is not a CSR in PEM: {error}") from None
    return hashlib.sha256(key).hexdigest()


_remembered = lru_cache(maxsize=_REMEMBERED)(_verified)
