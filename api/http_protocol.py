"""uvicorn's HTTP protocol: the verified client is in the scope, and what is not HTTP is told as all our errors are."""

import asyncio

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.listeners.peer import SCOPE_KEY, Peer, peer_of


class MusterHttpProtocol(HttpToolsProtocol):
    """Answers `{"message"}` to what is not HTTP, and tells the application who is at the other end, if TLS asked."""

    peer: Peer | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """The handshake is done, the client's certificate verified."""
        super().connection_made(transport)
        self.peer = peer_of(transport.get_extra_info("peercert"))

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        if self.peer is not None:
            self.scope["extensions"] = {SCOPE_KEY: self.peer}  # type: ignore[dict-item] # a Peer, not a mapping

    def send_400_response(self, msg: str) -> None:
        """The answer to bytes that no application ever sees; the connection is closed."""
        body = msgspec.json.encode({"message": msg})
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
