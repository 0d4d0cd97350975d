"""What a device's call is answered with, as ready bytes: a status, header lines with a Content-Length, and a body.

Every rule about the shape of answers is kept here (CONTRACT.md “Answering this client”): a body always has its length
and `application/json`, and accepted posts have none at all, since with one the Edge API drops the connection.
"""

from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import Struct

from api.errors import RETRY_AFTER_S, MethodNotAllowedError, refusal

Header = tuple[bytes, bytes]


class Answer(Struct, frozen=True, gc=False):
    """What any server interface can carry. `head` is its header lines, each with CRLF, names in lower case."""

    status: int
    head: bytes
    body: bytes

    @property
    def headers(self) -> list[Header]:
        """The header lines taken apart, as ASGI wants them."""
        lines = (line.partition(b": ") for line in self.head.split(b"\r\n")[:-1])
        return [(name, value) for name, _, value in lines]


_NO_BODY: Final = b"content-length: 0\r\n"
_JSON: Final = b"content-type: application/json\r\ncontent-length: %d\r\n"
_RETRY_AFTER: Final = b"retry-after: %d\r\n" % RETRY_AFTER_S

_encode = msgspec.json.Encoder().encode

DONE = Answer(HTTPStatus.OK, _NO_BODY, b"")
QUEUED = Answer(HTTPStatus.CREATED, _NO_BODY, b"")


def accepted_in(record: str) -> bytes:
    """The head, but for its end, of the answers to all heartbeats that share the record at `EPOCH-PARTITION-OFFSET`."""
    return b"%smuster-position: %s-" % (_NO_BODY, record.encode())


def accepted_at(record_head: bytes, batch_index: int) -> Answer:
    """A heartbeat is stored at this place of the record; `record_head` is from `accepted_in`."""
    return Answer(200, b"%s%d\r\n" % (record_head, batch_index), b"")


def json_answer(body: bytes, status: int = 200, further: bytes = b"") -> Answer:
    """A JSON body that is ready. `further` are header lines."""
    return Answer(status, _JSON % len(body) + further, body)


def error_answer(error: Exception) -> Answer:
    """`{"message"}` with the status of `api.errors`; 503 says when to try again, 405 what is allowed."""
    told = refusal(error)
    further = b""
    if told.status == HTTPStatus.SERVICE_UNAVAILABLE:
        further = _RETRY_AFTER
    elif isinstance(error, MethodNotAllowedError) and error.allowed:
        further = b"allow: %s\r\n" % ", ".join(sorted(error.allowed)).encode()
    return json_answer(_encode({"message": told.message}), told.status, further)
