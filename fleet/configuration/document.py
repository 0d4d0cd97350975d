"""The ready answer to a configuration read: content shared by all devices whose content is equal, id spliced in.

The version is a keyed hash of the content without the device id: equal content has equal versions on every process and
after every restart, and nobody without the installation key can guess short secret values from it.
"""

from hashlib import blake2b
from typing import NamedTuple

import msgspec

from fleet.configuration.errors import Problem
from fleet.decisions.commands import JSONObject

VERSION_BYTES = 16
"""Enough that two contents never share a version by chance; shown as twice as many hexadecimal digits."""

_encode = msgspec.json.Encoder(order="deterministic").encode
_quote = msgspec.json.Encoder().encode


class Configuration(NamedTuple):
    """A configuration but for the device's id. `content` is a canonical JSON object; problems are left-out parts."""

    version: str
    content: bytes
    problems: list[Problem]

    def body(self, device_id: str) -> bytes:
        """The whole body of the answer for one device."""
        head = b'{"device-configuration":{"device_id":' + _quote(device_id) + b',"version":"'
        return head + self.version.encode() + b'",' + self.content[1:] + b"}"


def versioned(content: JSONObject, problems: list[Problem], installation_key: bytes) -> Configuration:
    """The configuration of a content; maps in any order give the same."""
    encoded = _encode(content)
    version = blake2b(encoded, digest_size=VERSION_BYTES, key=installation_key).hexdigest()
    return Configuration(version, encoded, problems)
