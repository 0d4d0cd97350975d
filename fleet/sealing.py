"""Seals Secrets before they leave the API and opens them when a configuration needs them.

Nothing of a Secret but its name, labels and type is readable in a sealed body: data, annotations (client-side apply
copies the cleartext into one) and the rest are encrypted by AES-256-GCM with a random nonce, bound to namespace and
name. Beside them stands a MAC under the installation key, which tells whether the content differs without opening it;
it stays the same when an encryption key is replaced.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fleet.decisions.commands import JSONObject
from fleet.errors import UnavailableError

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32

_IN_CLEAR: Final = frozenset({"apiVersion", "kind", "metadata", "type", "status"})
_METADATA_IN_CLEAR: Final = (
    "name",
    "namespace",
    "labels",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
)
"""Metadata that stays readable: what names and selects, and what the server owns."""

_canonical = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(dict[str, object]).decode


class SealingError(UnavailableError):
    """A Secret cannot be opened until its key is in the ring again, or ever if it was tampered with or moved."""


class KeyRing:
    """Encryption keys by id, of which one seals and all open, and the installation key for MACs. Keys are 32 bytes."""

    def __init__(self, keys: Mapping[str, bytes], sealing_key_id: str, installation_key: bytes) -> None:
        if any(len(key) != KEY_BYTES for key in (*keys.values(), installation_key)):
            raise ValueError(f"encryption and installation keys are {KEY_BYTES} bytes long")
        if sealing_key_id not in keys:
            raise ValueError(f"there is no encryption key {sealing_key_id!r} to seal with")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._sealing_key_id = sealing_key_id
        self._installation_key = installation_key

    def seal(self, secret: JSONObject, nonce: bytes) -> JSONObject:
        """The stored body of a Secret. `nonce` is 12 random bytes, never used twice."""
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"a nonce is {NONCE_BYTES} bytes long")
        metadata = secret["metadata"]
        hidden = {field: value for field, value in secret.items() if field not in _IN_CLEAR}
        hidden_metadata = {field: value for field, value in metadata.items() if field not in _METADATA_IN_CLEAR}
        if hidden_metadata:
            hidden["metadata"] = hidden_metadata
        content = _canonical(hidden)
        place = _place(secret)
        ciphertext = self._ciphers[self._sealing_key_id].encrypt(nonce, content, place)
        mac = hmac.new(self._installation_key, place + b"\0" + content, hashlib.sha256)
        clear = {field: value for field, value in secret.items() if field in _IN_CLEAR}
        clear["metadata"] = {field: value for field, value in metadata.items() if field in _METADATA_IN_CLEAR}
        clear["sealed"] = {
            "key_id": self._sealing_key_id,
            "nonce": b64encode(nonce).decode(),
            "ciphertext": b64encode(ciphertext).decode(),
            "mac": mac.hexdigest(),
        }
        return clear

    def open(self, body: JSONObject) -> JSONObject:
        """The Secret of a stored body, with the metadata it has now. Raises SealingError."""
        sealed = body["sealed"]
        cipher = self._ciphers.get(sealed["key_id"])
        if cipher is None:
            raise SealingError(f"{_name(body)} is sealed with key {sealed['key_id']!r}, which is not among the keys")
        try:
            content = cipher.decrypt(b64decode(sealed["nonce"]), b64decode(sealed["ciphertext"]), _place(body))
        except (InvalidTag, ValueError):
            raise SealingError(f"{_name(body)} does not open with its key: it was altered or moved") from None
        hidden = _decode(content)
        hidden_metadata = hidden.pop("metadata", None)
        opened = {field: value for field, value in body.items() if field != "sealed"} | hidden
        if isinstance(hidden_metadata, dict):
            opened["metadata"] = body["metadata"] | hidden_metadata
        return opened


def is_sealed(body: JSONObject) -> bool:
    """Whether a Secret's body is sealed."""
    return "sealed" in body


def _place(body: JSONObject) -> bytes:
    metadata = body["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}".encode()


def _name(body: JSONObject) -> str:
    return f"Secret {_place(body).decode()}"
