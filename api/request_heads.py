"""Header blocks that the HTTP parser has judged once and found plain, so that the same bytes need no second parse.

A client sends the same header lines again and again: all that differs between the Edge API's calls is the request line
and, of heartbeats, the Content-Length. So the bytes from the end of the request line to the empty line are remembered
with the length of the body they announce. Whatever could frame a request otherwise, such as a chunked body, `Expect` or
`Upgrade`, is never remembered and always parsed.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

_BLOCKS_LIMIT: Final = 4096
"""Blocks remembered: each client's, times the lengths of its bodies. When it is full, all are learnt anew."""

_BLOCK_LIMIT_BYTES: Final = 4096
"""A longer block is parsed every time; the Edge API's have about 200 bytes, with a certificate from a proxy 2 kB."""

_FRAMING: Final = frozenset({b"transfer-encoding", b"upgrade", b"expect", b"trailer", b"proxy-connection"})


class PlainHead(NamedTuple):
    """What a plain header block says of its request; `is_last` if the connection is to be closed with its answer."""

    body_bytes: int
    is_last: bool


class PlainHeads:
    """Plain heads by header block, which is all from the CRLF of the request line to the empty line."""

    def __init__(self, blocks_limit: int = _BLOCKS_LIMIT) -> None:
        self._blocks_limit = blocks_limit
        self._by_block: dict[bytes, PlainHead] = {}
        self.get = self._by_block.get

    def learn(self, block: bytes, headers: Sequence[tuple[bytes, bytes]], *, is_last: bool) -> None:
        """Remember a block of an HTTP/1.1 request, of which the parser made these `headers`, if it is plain."""
        if len(block) > _BLOCK_LIMIT_BYTES or _taken_apart(block) != headers:
            return
        lengths = [value for name, value in headers if name == b"content-length"]
        if len(lengths) > 1 or any(_frames(name, value) for name, value in headers):
            return
        if len(self._by_block) >= self._blocks_limit:
            self._by_block.clear()
        self._by_block[block] = PlainHead(int(lengths[0]) if lengths else 0, is_last)


def _taken_apart(block: bytes) -> list[tuple[bytes, bytes]]:
    """The lines as the strictest reader would see them; where the parser saw others, the block is not plain."""
    lines = (line.partition(b": ") for line in block[2:-4].split(b"\r\n"))
    return [(name.lower(), value) for name, _, value in lines]


def _frames(name: bytes, value: bytes) -> bool:
    return name in _FRAMING or (name == b"connection" and value.lower() not in (b"keep-alive", b"close"))
