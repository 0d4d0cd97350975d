"""Calls as the Edge API makes them: exactly its headers, a body that ends in a newline, connections kept."""

import http.client
import json
import ssl
from types import TracebackType
from typing import Any, NamedTuple, Self

BASE = "/api/flotta-backend/v1"


class RawAnswer(NamedTuple):
    """An answer with its headers as they came, names in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """A header's only value."""
        values = [value for given, value in self.headers if given == name]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def json(self) -> Any:
        """The body as JSON values."""
        return json.loads(self.body)


class GoClient:
    """One connection of the Edge API, with `tls` over https. `connections` counts how many it took."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._connection = (
            http.client.HTTPSConnection("127.0.0.1", port, timeout=15, context=tls)
            if tls
            else http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        )
        self.connections = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        is_chunked: bool = False,
    ) -> RawAnswer:
        """Send one request. `body` is JSON values, or bytes to be sent as they are."""
        if self._connection.sock is None:
            self.connections += 1
        self._connection.putrequest(method, path, skip_accept_encoding=True)
        self._connection.putheader("User-Agent", "Go-http-client/1.1")
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode() + b"\n"
            self._connection.putheader("Content-Type", "application/json")
            if is_chunked:
                self._connection.putheader("Transfer-Encoding", "chunked")
            else:
                self._connection.putheader("Content-Length", str(len(content)))
        self._connection.putheader("Accept", "application/json")
        self._connection.putheader("Accept-Encoding", "gzip")
        for name, value in (headers or {}).items():
            self._connection.putheader(name, value)
        self._connection.endheaders(content, encode_chunked=is_chunked)
        response = self._connection.getresponse()
        answer = RawAnswer(
            response.status, [(name.lower(), value) for name, value in response.getheaders()], response.read()
        )
        if response.will_close:
            self._connection.close()
        return answer


def path_of(device_id: str, call: str, namespace: str = "default") -> str:
    """The path of a device's call."""
    return f"{BASE}/namespaces/{namespace}/devices/{device_id}/{call}"
