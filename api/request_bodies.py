"""Reads a request's body within a limit and a time, and drains one that is too large so that its sender hears why."""

import asyncio
from typing import Final

from api.asgi import Event, Receive, Scope
from api.errors import SlowBodyError
from fleet.errors import BadInputError, TooLargeError

BODY_WITHIN_S: Final = 10.0
"""A body must have arrived whole after this; a device's has long hung up by then."""

DRAIN_LIMIT_BYTES: Final = 16_000_000
"""How much of a refused body is read: a sender cut off in the middle would see a broken connection, not the answer."""

DRAIN_WITHIN_S: Final = 5.0


class DisconnectedError(Exception):
    """The client went away before its body was complete; there is nobody to answer."""


async def read_body(scope: Scope, receive: Receive, limit_bytes: int) -> bytes:
    """The body. Raises TooLargeError (as soon as it is known), SlowBodyError, BadInputError or DisconnectedError."""
    announced = _announced_bytes(scope)
    if announced is not None and announced > limit_bytes:
        raise _too_large(limit_bytes)
    event = await receive()
    if event["type"] == "http.request" and not event.get("more_body"):
        body: bytes = event.get("body", b"")
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes)
        return body
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            return await _collect(event, receive, limit_bytes)
    except TimeoutError:
        raise SlowBodyError(f"the body did not arrive within {BODY_WITHIN_S:.0f} s") from None


async def drain(receive: Receive) -> None:
    """Read and forget what is left of a body, within bounds."""
    drained = 0
    try:
        async with asyncio.timeout(DRAIN_WITHIN_S):
            while drained < DRAIN_LIMIT_BYTES:
                event = await receive()
                if event["type"] != "http.request" or not event.get("more_body"):
                    return
                drained += len(event.get("body", b""))
    except TimeoutError:
        return


async def _collect(event: Event, receive: Receive, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        if event["type"] != "http.request":
            raise DisconnectedError
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > limit_bytes:
            raise _too_large(limit_bytes)
        if not event.get("more_body"):
            return b"".join(parts)
        event = await receive()


def _announced_bytes(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                raise BadInputError("Content-Length is not a number")
            return int(value)
    return None


def _too_large(limit_bytes: int) -> TooLargeError:
    return TooLargeError(f"the body is larger than {limit_bytes} bytes (MUSTER_HTTP_BODY_LIMIT_BYTES)")
