"""What a device's call is answered with, as ready bytes: a status, headers with a Content-Length, and a body.

Every rule about the shape of answers is kept here (CONTRACT.md “Answering this client”): a body always has its length
and `application/json`, and accepted posts have none at all, since with one the Edge API drops the connection.
"""

from http import HTTPStatus
from typing import NamedTuple

import msgspec

from api.errors import RETRY_AFTER_S, MethodNotAllowedError, refusal

Header = tuple[bytes, bytes]


class Answer(NamedTuple):
    """An answer that any server interface can carry."""

    status: int
    headers: list[Header]
    body: bytes


_NO_LENGTH = (b"content-length", b"0")
_JSON = (b"content-type", b"application/json")
_RETRY_AFTER = (b"retry-after", str(RETRY_AFTER_S).encode())

_encode = msgspec.json.Encoder().encode

DONE = Answer(HTTPStatus.OK, [_NO_LENGTH], b"")
QUEUED = Answer(HTTPStatus.CREATED, [_NO_LENGTH], b"")


def accepted_at(position: str) -> Answer:
    """A heartbeat is stored at this position."""
    return Answer(HTTPStatus.OK, [_NO_LENGTH, (b"muster-position", position.encode())], b"")


def json_answer(body: bytes, status: int = HTTPStatus.OK, *further: Header) -> Answer:
    """A JSON body that is ready."""
    return Answer(status, [_JSON, (b"content-length", str(len(body)).encode()), *further], body)


def error_answer(error: Exception) -> Answer:
    """`{"message"}` with the status of `api.errors`; 503 says when to try again, 405 what is allowed."""
    told = refusal(error)
    further: list[Header] = []
    if told.status == HTTPStatus.SERVICE_UNAVAILABLE:
        further.append(_RETRY_AFTER)
    if isinstance(error, MethodNotAllowedError) and error.allowed:
        further.append((b"allow", ", ".join(sorted(error.allowed)).encode()))
    return json_answer(_encode({"message": told.message}), told.status, *further)
