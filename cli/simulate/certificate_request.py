"""The certificate request of a simulated device.

A device's key is derived from its id, so that a fleet played again registers with the keys it had (an agent keeps its
key too). Anyone who knows the id can derive it: for simulated devices only.
"""

from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate_request(device_id: str) -> str:
    """A PEM-encoded CSR with the device's EC P-256 key. Takes about 0.2 ms."""
    # The private value must lie between 1 and the order of the group, which is a little less than 2**256.
    private_value = 1 + int.from_bytes(sha256(f"simulated device {device_id}".encode()).digest()) // 2
    key = ec.derive_private_key(private_value, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()
