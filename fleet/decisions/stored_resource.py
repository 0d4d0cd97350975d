"""A resource as the state of the fleet holds it."""

from collections.abc import Callable

import msgspec

from fleet.decisions.commands import JSONObject

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, object]).decode


class StoredResource(msgspec.Struct, frozen=True, gc=False):
    """A resource as last changed.

    `content` is its body as JSON values or, where there are many, what unpacks its body as JSON bytes.
    """

    revision: int
    content: JSONObject | Callable[[], bytes]

    @property
    def body(self) -> JSONObject:
        """The body as stored: without `resourceVersion`, Secrets sealed. Unpacked each time where it is packed."""
        return self.content if isinstance(self.content, dict) else _decode(self.content())

    @property
    def json(self) -> bytes:
        """The body as JSON bytes."""
        return _encode(self.content) if isinstance(self.content, dict) else self.content()
