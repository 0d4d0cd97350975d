"""When the certificates end with which the Edge API comes: nobody renews a host certificate of Flotta by itself.

Muster has no file of it, so it is known from the calls.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from api.listeners.peer import Peer

_UNSEEN_S: Final = 3600.0
"""A certificate that was not shown for so long is out of use, if it has ended or one of its names ends later."""

_REMEMBERED: Final = 64
"""Certificates; an installation has one or a few Edge APIs."""


class ClientEnd(NamedTuple):
    """Whose certificate ends, by its SANs, and when (Unix time)."""

    names: str
    at_s: float


class ClientEnds:
    """The certificates of callers that were let in. Times are Unix times."""

    def __init__(self) -> None:
        self._seen_s: OrderedDict[ClientEnd, float] = OrderedDict()

    def note(self, peer: Peer, now_s: float) -> None:
        """This one was let in."""
        if not peer.ends_at_s:
            return
        end = ClientEnd(", ".join(sorted(peer.names)), peer.ends_at_s)
        self._seen_s[end] = now_s
        self._seen_s.move_to_end(end)
        if len(self._seen_s) > _REMEMBERED:
            self._seen_s.popitem(last=False)

    def current(self, now_s: float) -> list[ClientEnd]:
        """Those in use. An Edge API on kept connections shows its certificate seldom, so silence alone says nothing."""
        latest: dict[str, float] = {}
        for end in self._seen_s:
            latest[end.names] = max(end.at_s, latest.get(end.names, 0.0))
        return [
            end
            for end, seen_s in self._seen_s.items()
            if now_s - seen_s < _UNSEEN_S or (end.at_s == latest[end.names] and now_s < end.at_s)
        ]
