"""JSON answers of the management plane, with a `Warning` header for each thing the author should know."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from litestar import Response
from litestar.response.base import ASGIResponse

_WARNING_LIMIT: Final = 300
"""Characters of one warning, so that the headers of all stay within what clients read."""

_encode = msgspec.json.Encoder().encode


class ResourceResponse(Response[Any]):
    """Content as JSON. Warnings are shown as Kubernetes does: one header `299 - "text"` each."""

    def __init__(
        self,
        content: Any,
        status: int = 200,
        warnings: Iterable[str] = (),
        headers: dict[str, str] | None = None,
        media_type: str = "application/json",
    ) -> None:
        super().__init__(_encode(content), status_code=status, media_type=media_type, headers=headers)
        self._warnings = [(b"warning", _warning(text)) for text in warnings]

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIResponse:
        """As Litestar's own, which knows each header once only."""
        encoded = [*(kwargs.pop("encoded_headers", None) or ()), *self._warnings]
        return super().to_asgi_response(*args, encoded_headers=encoded, **kwargs)


def _warning(text: str) -> bytes:
    printable = "".join(character if character.isprintable() else " " for character in text[:_WARNING_LIMIT])
    quoted = printable.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted}"'.encode("ascii", "replace")
