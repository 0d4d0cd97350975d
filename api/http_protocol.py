"""uvicorn's HTTP protocol, which answers the device plane's hot calls itself and leaves everything else to ASGI.

A request takes the light way when its bytes are all there at once, nothing of its connection is under way, its header
lines are known to be plain (`api.request_heads`) and it is a hot call (`api.devices.light_calls`): then it costs no
task, no scope and no parse, and the answer is one write. Both ways ask the same plane and give the same bytes.
"""

import asyncio
from typing import Any, Final

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.answers import Answer
from api.devices.hot_lines import read_hot_line
from api.devices.light_calls import LightCalls
from api.listeners.peer import SCOPE_KEY, Peer, peer_of

_CLOSE: Final = b"connection: close\r\n"


class MusterHttpProtocol(HttpToolsProtocol):
    """One connection. `light` answers its hot calls, where the listener has the device plane.

    It tells the application who is at the other end, if TLS asked, and `{"message"}` to what is not HTTP.
    """

    peer: Peer | None = None

    def __init__(self, *arguments: Any, light: LightCalls | None = None, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._listener_light = light
        self._light: LightCalls | None = None
        self._is_parsing = False
        """The parser has begun a message and not ended it."""
        self._is_waiting = False
        """A call that came the light way has no answer yet."""
        self._is_last = False
        """The connection is to be closed with that answer."""
        self._held = b""
        """What came meanwhile."""
        self._candidate: bytes | None = None
        """The header block of the message that the parser is about to judge."""
        self._answered_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """The handshake is done, the client's certificate verified."""
        super().connection_made(transport)
        self.peer = peer_of(transport.get_extra_info("peercert"))
        if self._listener_light is not None and self._listener_light.is_for(self._address(), self.peer):
            self._light = self._listener_light

    def data_received(self, data: bytes) -> None:
        """Bytes of one request, of a part of one, or of several."""
        if self._is_waiting:
            self._held += data
            self.flow.pause_reading()
        elif self._light is None or self._is_busy() or not self._take(self._light, data):
            super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins that takes the ASGI way."""
        self._is_parsing = True
        super().on_message_begin()
        if self.peer is not None:
            self.scope["extensions"] = {SCOPE_KEY: self.peer}  # type: ignore[dict-item] # a Peer, not a mapping

    def on_headers_complete(self) -> None:
        """Its head is judged."""
        block, self._candidate = self._candidate, None
        if (
            block is not None
            and self._light is not None
            and self.parser.get_http_version() == "1.1"
            and not self.parser.should_upgrade()
        ):
            is_last = not self.parser.should_keep_alive()
            self._light.learn(block, self.headers, self._address(), self.peer, is_last=is_last)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Its body is there."""
        self._is_parsing = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer of the ASGI way is written."""
        super().on_response_complete()
        self._answered_s = self.loop.time()

    def shutdown(self) -> None:
        """The server stops: what is under way is answered first."""
        if self._is_waiting:
            self._is_last = True
        else:
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        """The connection may have been idle for too long. The light way leaves the timer be, so look."""
        self.timeout_keep_alive_task = None
        if self._is_waiting or self._is_busy():
            return  # its answer begins the time anew
        rest_s = self._answered_s + self.timeout_keep_alive - self.loop.time()
        if rest_s > 0:
            self.timeout_keep_alive_task = self.loop.call_later(rest_s, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """The answer to bytes that no application ever sees; the connection is closed."""
        body = msgspec.json.encode({"message": msg})
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def _is_busy(self) -> bool:
        """Whether the ASGI way has something of this connection under way, or its client does not read."""
        return (
            self._is_parsing
            or (self.cycle is not None and not self.cycle.response_complete)
            or self.flow.write_paused
            or self.transport.is_closing()
        )

    def _take(self, light: LightCalls, data: bytes) -> bool:
        """Answer one whole request the light way, or have it answered later; False when it must take the other."""
        self._candidate = None
        line = read_hot_line(data)
        if line is None:
            return False
        head_end = data.find(b"\r\n\r\n", line.end) + 4
        block = data[line.end : head_end]
        head = light.head(block)
        if head is None:
            self._candidate = block
            return False
        body_bytes, self._is_last = head
        if len(data) != head_end + body_bytes or not light.is_open(line.method, body_bytes):
            self._is_last = False
            return False
        answer = light.take(line.method, line.path, data[head_end:], self._answer_later)
        if answer is None:
            self._is_waiting = True
        else:
            self._answer(answer)
        return True

    def _answer_later(self, answer: Answer) -> None:
        self._is_waiting = False
        if self.transport.is_closing():
            return
        self._answer(answer)
        if self._is_last:
            return
        held, self._held = self._held, b""
        self.flow.resume_reading()
        if held:
            self.data_received(held)

    def _answer(self, answer: Answer) -> None:
        state = self.server_state
        state.total_requests += 1
        default_head = self._light.default_head(state.default_headers)  # type: ignore[union-attr] # it took the request
        end = b"\r\n" if not self._is_last else _CLOSE + b"\r\n"
        self.transport.write(b"".join((STATUS_LINE[answer.status], default_head, answer.head, end, answer.body)))
        if self._is_last:
            self.transport.close()
            return
        self._answered_s = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
