"""The Edge API as a client: it sends what was captured, waits as long as a device does, and tries as often.

CONTRACT.md “Answering this client” and “Captured”. An answer or a request can be lost on the way: then the Edge API
knows of a broken connection only, while the test knows what Muster had said.
"""

import contextlib
import http.client
import socket
import ssl
import time
from typing import Literal, NamedTuple, Protocol

from tests.api.go_client import BASE, RawAnswer
from tests.api.listeners.captured import request_bytes

DEVICE_WAITS_S = 1.0
"""Then the device hangs up, which ends the call."""

TRY_PAUSES_S = (0.05, 0.1, 0.15)
"""Before the second, third and fourth try of a heartbeat."""

Loss = Literal["", "answer", "request"]


class EdgeApi(Protocol):
    """A way to make one call; None when there was no answer."""

    def call(self, method: str, path: str, body: bytes | None = None) -> RawAnswer | None:
        """`path` begins after the base path; `body` gets its newline."""


class Said(NamedTuple):
    """What Muster answered to one try, and whether the Edge API heard it."""

    answer: RawAnswer
    is_heard: bool


class SocketEdgeApi:
    """Over connections of its own, kept while the server keeps them. `losses` are those of the next calls, in order."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._port = port
        self._tls = tls
        self._socket: socket.socket | None = None
        self.losses: list[Loss] = []
        self.said: list[Said] = []
        self.connections = 0

    def close(self) -> None:
        """Close the connection."""
        if self._socket:
            self._socket.close()
        self._socket = None

    def call(self, method: str, path: str, body: bytes | None = None) -> RawAnswer | None:
        """One call. A GET whose connection dies is repeated silently once, as Go's transport does."""
        answer = self._try(method, path, body)
        if answer is None and method == "GET":
            answer = self._try(method, path, body)
        return answer

    def beat(self, path: str, body: bytes) -> RawAnswer | None:
        """A heartbeat: up to four tries with identical bytes, after any error, within the device's second."""
        hangs_up_s = time.monotonic() + DEVICE_WAITS_S
        answer = self._try("PUT", path, body)
        for pause_s in TRY_PAUSES_S:
            if (answer and answer.status == http.client.OK) or time.monotonic() + pause_s >= hangs_up_s:
                break
            time.sleep(pause_s)
            answer = self._try("PUT", path, body)
        return answer

    def _try(self, method: str, path: str, body: bytes | None) -> RawAnswer | None:
        loss: Loss = self.losses.pop(0) if self.losses else ""
        request = request_bytes(method, BASE + path, f"127.0.0.1:{self._port}", body)
        try:
            connection = self._connected()
            connection.settimeout(DEVICE_WAITS_S)
            connection.sendall(request[: -max(1, len(body or b"") // 2)] if loss == "request" else request)
            answer = None if loss == "request" else _read(connection, method)
        except (OSError, http.client.HTTPException):
            answer = None
        if answer is None:
            self.close()
            return None
        self.said.append(Said(answer, not loss))
        # Without its exact length, or with a body where there should be none, Go would not use the connection again.
        if loss or answer.header("content-length") is None or answer.header("connection") == "close":
            self.close()
        return None if loss else answer

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self.connections += 1
            plain = socket.create_connection(("127.0.0.1", self._port), 5)
            self._socket = self._tls.wrap_socket(plain, server_hostname="127.0.0.1") if self._tls else plain
        return self._socket


def _read(connection: socket.socket, method: str) -> RawAnswer:
    with contextlib.closing(http.client.HTTPResponse(connection, method=method)) as response:
        response.begin()
        headers = [(name.lower(), value) for name, value in response.getheaders()]
        return RawAnswer(response.status, headers, response.read())
