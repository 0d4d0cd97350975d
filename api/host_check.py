"""Refuses requests that a web page in someone's browser made, or made the browser make under another name.

The management plane listens on loopback without asking who calls, so every page open on the machine could reach it:
a foreign Origin is refused, and so is a Host that is not one of ours, which is how DNS rebinding shows.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from api.asgi import Application, Receive, Scope, Send

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

_encode = msgspec.json.Encoder().encode


class HostCheck:
    """An ASGI application in front of another; `names` are further names and addresses people reach it by."""

    def __init__(self, behind: Application, names: Iterable[str]) -> None:
        self._behind = behind
        self._names = LOOPBACK_NAMES | {name.lower() for name in names if name}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or refuse it."""
        refusal = self._refusal(scope) if scope["type"] == "http" else ""
        if not refusal:
            await self._behind(scope, receive, send)
            return
        body = _encode({"message": refusal})
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _refusal(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"host" and _host("//" + value.decode("latin-1")) not in self._names:
                return "this Host is not one of Muster's names: MUSTER_HTTP_NAMES lists further ones"
            if name == b"origin" and _host(value.decode("latin-1")) not in self._names:
                return "requests of web pages from elsewhere are refused"
        return ""


def _host(url: str) -> str:
    """The host of a URL in lower case, or text that is no name of ours."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"
