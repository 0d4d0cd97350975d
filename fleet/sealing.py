"""Seals Secrets before they leave the API and opens them when a configuration needs them.

Nothing of a Secret but its name, labels and type is readable in a sealed body: data, annotations (client-side apply
copies the cleartext into one) and the rest are encrypted by AES-256-GCM with a random nonce, bound to namespace and
name. Beside them stands a MAC under the installation key, which tells whether the content differs without opening it;
it stays the same when an encryption key is replaced. A body whose ciphertext was erased, because the key of a
superseded revision was to go, opens without data.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

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


class Keys(NamedTuple):
    """Encryption keys by id: all open, the one of `sealing_key_id` seals. Keys are 32 bytes."""

    by_id: Mapping[str, bytes]
    sealing_key_id: str


class KeyRing:
    """Encryption keys by id, of which one seals and all open, and the installation key for MACs. Keys are 32 bytes.

    `read_again` gives the keys as they are now, or None when there is nothing newer to be had. It is asked before each
    sealing and for a key that is not in the ring, so that a key that was replaced is known without a restart.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes],
        sealing_key_id: str,
        installation_key: bytes,
        read_again: Callable[[], Keys | None] = lambda: None,
    ) -> None:
        if len(installation_key) != KEY_BYTES:
            raise ValueError(f"encryption and installation keys are {KEY_BYTES} bytes long")
        self._installation_key = installation_key
        self._read_again = read_again
        self._take(Keys(keys, sealing_key_id))

    @property
    def sealing_key_id(self) -> str:
        """The key that seals."""
        return self._sealing_key_id

    def seal(self, secret: JSONObject, nonce: bytes) -> JSONObject:
        """The stored body of a Secret. `nonce` is 12 random bytes, never used twice."""
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"a nonce is {NONCE_BYTES} bytes long")
        self._renew()
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

    def opened(self, body: JSONObject) -> JSONObject:
        """Any stored body, a Secret opened. Raises SealingError."""
        return self.open(body) if is_sealed(body) else body

    def open(self, body: JSONObject) -> JSONObject:
        """The Secret of a stored body, with the metadata it has now. Raises SealingError."""
        sealed = body["sealed"]
        if not sealed["ciphertext"]:
            return {field: value for field, value in body.items() if field != "sealed"}
        cipher = self._ciphers.get(sealed["key_id"])
        if cipher is None:
            self._renew()
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

    def _renew(self) -> None:
        keys = self._read_again()
        if keys is not None:
            self._take(keys)

    def _take(self, keys: Keys) -> None:
        if any(len(key) != KEY_BYTES for key in keys.by_id.values()):
            raise ValueError(f"encryption and installation keys are {KEY_BYTES} bytes long")
        if keys.sealing_key_id not in keys.by_id:
            raise ValueError(f"there is no encryption key {keys.sealing_key_id!r} to seal with")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.by_id.items()}
        self._sealing_key_id = keys.sealing_key_id


def sealing_key_of(body: JSONObject) -> str:
    """The id of the key a body is sealed with; empty when there is nothing in it to open."""
    return str((body.get("sealed") or {}).get("key_id", ""))


def is_sealed(body: JSONObject) -> bool:
    """Whether a Secret's body is sealed."""
    return "sealed" in body


def _place(body: JSONObject) -> bytes:
    metadata = body["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}".encode()


def _name(body: JSONObject) -> str:
    return f"Secret {_place(body).decode()}"
