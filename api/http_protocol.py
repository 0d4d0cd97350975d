"""uvicorn's HTTP protocol, with errors of requests that cannot even be parsed told as all our errors are."""

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class MusterHttpProtocol(HttpToolsProtocol):
    """Answers `{"message"}` to what is not HTTP."""

    def send_400_response(self, msg: str) -> None:
        """The answer to bytes that no application ever sees; the connection is closed."""
        body = msgspec.json.encode({"message": msg})
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
