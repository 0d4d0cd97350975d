"""Heads of calls as the Edge API's client writes them, cut where a device's number goes."""

from typing import Final

from benchmarks.fleet_content import NAMESPACE, device_id

BASE_PATH: Final = "/api/flotta-backend/v1"

NUMBER_DIGITS: Final = 7
"""At the end of a device's id: the same for all, so that a body is as long for each."""

PREFIX: Final = device_id(0)[:-NUMBER_DIGITS]
MARK: Final = b"\x00number\x00"
"""Stands in a body where the device's number goes."""


def request_pieces(
    method: str,
    call: str,
    body: bytes | None = None,
    *,
    closes_connections: bool = False,
    namespace: str = NAMESPACE,
    prefix: str = PREFIX,
) -> list[bytes]:
    """A request in two pieces, or three if the body has MARK in it: the number goes between them.

    `closes_connections`: on a connection of its own, as Go's client makes most of its calls under load.
    """
    lines = ["Host: muster.example.com", "User-Agent: Go-http-client/1.1"]
    if body is not None:
        lines.append(f"Content-Length: {len(body) + body.count(MARK) * (NUMBER_DIGITS - len(MARK))}")
    lines.append("Accept: application/json")
    if body is not None:
        lines.append("Content-Type: application/json")
    lines.append("Accept-Encoding: gzip")
    if closes_connections:
        lines.append("Connection: close")
    before = f"{method} {BASE_PATH}/namespaces/{namespace}/devices/{prefix}".encode()
    after = "\r\n".join([f"/{call} HTTP/1.1", *lines, "", ""]).encode()
    first, *rest = (body or b"").split(MARK, 1)
    return [before, after + first, *rest]
