"""Reads the CSR of a registration: its key is the device's identity, and only the holder of the key can have signed it.

Source: CONTRACT.md “Who may register”.
"""

import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleet.errors import BadInputError

_LIMIT_CHARACTERS = 20_000
"""A CSR with an RSA key of 16 kbit has about 6,000 characters; verifying larger keys would take long."""


def key_fingerprint(certificate_request: str | None) -> str:
    """Hex SHA-256 of the DER SubjectPublicKeyInfo of a PEM CSR whose signature was verified. Raises BadInputError."""
    if not certificate_request:
        raise BadInputError(
            "the registration has no certificate_request: send the CSR in PEM, since its key identifies the device"
        )
    if len(certificate_request) > _LIMIT_CHARACTERS:
        raise BadInputError(f"the certificate_request is longer than {_LIMIT_CHARACTERS} characters")
    try:
        request = x509.load_pem_x509_csr(certificate_request.encode())
        if not request.is_signature_valid:
            raise BadInputError("the certificate_request is not signed by the key it carries")
        key = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise BadInputError(f"the certificate_request is not a CSR in PEM: {error}") from None
    return hashlib.sha256(key).hexdigest()
