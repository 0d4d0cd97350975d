"""The way of the hot calls past ASGI: when a call may take it, and which header lines the server adds to answers.

The plane answers them as it does those of the ASGI way.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from api.answers import Answer, Header
from api.devices.paths import DevicePath
from api.listeners.callers import Callers, RefusedCallerError
from api.listeners.peer import Peer
from api.request_heads import PlainHeads


class Plane(Protocol):
    """Who answers: `api.devices.plane.DevicePlane`."""

    def take(self, method: str, path: DevicePath, body: bytes, reply: Callable[[Answer], None]) -> Answer | None:
        """The answer, or None when `reply` will be given it. Raises nothing."""


class Feed(Protocol):
    """How current answers are: `api.desired_state.fleet_view.FleetView`."""

    def is_lost(self) -> bool:
        """Whether changes may have been missed."""


class LightCalls:
    """The light way of a listener. `callers` judges who calls, where not everyone may; the others hear it from ASGI."""

    def __init__(
        self,
        plane: Plane,
        feed: Feed,
        body_limit_bytes: int,
        callers: Callers | None = None,
    ) -> None:
        self._feed = feed
        self._body_limit_bytes = body_limit_bytes
        self._callers = callers
        self._heads = PlainHeads()
        self.head = self._heads.get
        self.take = plane.take
        self._default_headers: Sequence[Header] = ()
        self._default_head = b""

    def is_for(self, address: str, certificate: Peer | None) -> bool:
        """Whether calls of this connection may take it."""
        return self._callers is None or self._callers.is_proxy_or_edge_api(address, certificate)

    def learn(
        self, block: bytes, headers: Sequence[Header], address: str, certificate: Peer | None, *, is_last: bool
    ) -> None:
        """Take note of a header block that was parsed on such a connection, if nobody else may send it there."""
        if self._callers is not None:
            try:
                self._callers.check(address, headers, certificate)
            except RefusedCallerError:
                return
        self._heads.learn(block, headers, is_last=is_last)

    def is_open(self, method: str, body_bytes: int) -> bool:
        """Whether a call may go this way now; a process that lost its feed says so in every answer, as ASGI does."""
        is_plain = body_bytes <= self._body_limit_bytes if method != "GET" else not body_bytes
        return is_plain and not self._feed.is_lost()

    def default_head(self, headers: Sequence[Header]) -> bytes:
        """The server's own header lines; it makes a new list of them every second."""
        if headers is not self._default_headers:
            self._default_head = b"".join(b"%s: %s\r\n" % header for header in headers)
            self._default_headers = headers
        return self._default_head
