"""Recognises the request lines of the six calls, with plain names.

The Edge API makes 26 calls for each device and minute, and at the start of a fleet some more of each device at once
(CONTRACT.md “How often”). Whatever is not exactly such a line, an odd name, a query, another version, is for the parser
and `api.devices.paths`.
"""

import re
from typing import Final

from msgspec import Struct

from api.devices.paths import BASE_PATH, DevicePath
from fleet.names import RESERVED_DEVICE_IDS

_LINE: Final = re.compile(
    rb"(GET|POST|PUT) " + BASE_PATH.encode() + rb"/namespaces/([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)"
    rb"/devices/([a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*)"
    rb"/(configuration|enrolment|heartbeat|playbookexecutions|registration) HTTP/1\.1\r\n"
)

_LINE_LIMIT_BYTES: Final = 256
"""Of a hot line, so that no id in one is longer than ids may be."""

_CALLS: Final = {
    b"GETconfiguration": ("GET", "configuration"),
    b"GETplaybookexecutions": ("GET", "playbookexecutions"),
    b"GETregistration": ("GET", "registration"),
    b"PUTheartbeat": ("PUT", "heartbeat"),
    b"POSTenrolment": ("POST", "enrolment"),
    b"PUTregistration": ("PUT", "registration"),
}

_RESERVED: Final = frozenset(device_id.encode() for device_id in RESERVED_DEVICE_IDS)


class HotLine(Struct, frozen=True, gc=False):
    """A request line, which ends at `end`, where its CRLF begins."""

    method: str
    path: DevicePath
    end: int


def read_hot_line(data: bytes) -> HotLine | None:
    """The hot request line with which the bytes begin, if they do."""
    found = _LINE.match(data, 0, _LINE_LIMIT_BYTES)
    if found is None:
        return None
    method, namespace, device_id, call = found.groups()
    known = _CALLS.get(method + call)
    if known is None or device_id in _RESERVED:
        return None
    return HotLine(known[0], DevicePath(namespace.decode(), device_id.decode(), known[1]), found.end() - 2)
