"""Which user of this machine made a connection over loopback: the kernel knows whose socket it is.

So a change made by a client that says no name, such as `kubectl`, has an author all the same. Linux alone tells this;
elsewhere, and for connections from other machines, nobody is known.
"""

import ipaddress
import pwd
import socket
import struct
from typing import Any, Final

_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_REQUEST: Final = 1
_ALL_STATES: Final = 0xFFFFFFFF
_NO_COOKIE: Final = b"\xff" * 8
_ANY_INTERFACE: Final = b"\0" * 4
_ADDRESS_BYTES: Final = 16
_IPV6: Final = 6

_ANSWER_LIMIT_BYTES: Final = 4096
_WITHIN_S: Final = 0.05
"""The kernel answers in 20 µs; one that does not is not waited for."""

_STATE_AT: Final = 16 + 1
_HELD: Final = frozenset({1, 8})
"""ESTABLISHED and CLOSE_WAIT: of a socket that its program has closed the kernel knows no user, and says 0."""

_UID_AT: Final = 16 + 4 + 48 + 12
"""In the answer: behind the headers of netlink and of the socket, its addresses, and three counters."""


def local_user(scope: Any) -> str:
    """The name of the user, or `uid N`; empty when the caller is elsewhere or cannot be known."""
    client, server = scope.get("client"), scope.get("server")
    if not client or not server or server[1] is None:
        return ""
    uid = _socket_uid((client[0], client[1]), (server[0], server[1]))
    if uid is None:
        return ""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _socket_uid(own: tuple[str, int], other: tuple[str, int]) -> int | None:
    """Whose socket the connection's end at `own` is. Source: Linux, sock_diag(7)."""
    try:
        addresses = [ipaddress.ip_address(host) for host, _ in (own, other)]
        if not all(address.is_loopback for address in addresses) or addresses[0].version != addresses[1].version:
            return None
        family = socket.AF_INET6 if addresses[0].version == _IPV6 else socket.AF_INET
        ends = b"".join(address.packed.ljust(_ADDRESS_BYTES, b"\0") for address in addresses)
        ports = struct.pack("!HH", own[1], other[1])
        asked = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, _ALL_STATES)
        asked += ports + ends + _ANY_INTERFACE + _NO_COOKIE
        header = struct.pack("=IHHII", 16 + len(asked), _SOCK_DIAG_BY_FAMILY, _REQUEST, 1, 0)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _SOCK_DIAG) as kernel:
            kernel.settimeout(_WITHIN_S)
            kernel.send(header + asked)
            answer = kernel.recv(_ANSWER_LIMIT_BYTES)
    except (OSError, ValueError, AttributeError):
        return None
    if len(answer) < _UID_AT + 4 or struct.unpack_from("=H", answer, 4)[0] != _SOCK_DIAG_BY_FAMILY:
        return None
    if answer[_STATE_AT] not in _HELD:
        return None
    (uid,) = struct.unpack_from("=I", answer, _UID_AT)
    return int(uid)
