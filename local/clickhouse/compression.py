"""Bodies in the encodings ClickHouse's HTTP interface takes: bounded when unpacked, packed block by block."""

import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final, Protocol

import lz4.frame
import zstandard

from local.clickhouse.errors import ClickHouseError, body_too_large

_PIECE_BYTES: Final = 1024 * 1024
_ZSTD_INPUT_BYTES: Final = 1024
"""Its unpacker has no bound of its own; four bytes can stand for 128 KiB, so this much for 32 MiB."""

_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_GZIP: Final = 16 + zlib.MAX_WBITS


class Packer(Protocol):
    """Packs a body piece by piece."""

    def compress(self, piece: bytes, /) -> bytes:
        """The packed bytes that are ready."""

    def flush(self) -> bytes:
        """The rest."""


def unpack(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    """Undo a Content-Encoding. Raises ClickHouseError when it is unknown, broken or larger than the limit."""
    if encoding in ("", "identity"):
        return body
    unpacked = bytearray()
    try:
        for piece in _pieces(body, encoding):
            unpacked += piece
            if len(unpacked) > limit_bytes:
                raise body_too_large(limit_bytes)
    except (zlib.error, zstandard.ZstdError, RuntimeError, EOFError) as error:
        raise ClickHouseError(
            271, "CANNOT_DECOMPRESS", f"Cannot decompress the body ({encoding}): {error}", 400
        ) from None
    return bytes(unpacked)


def choose_encoding(accepted: str) -> str | None:
    """The first of ours that an Accept-Encoding header names; cheapest to make first."""
    names = {part.partition(";")[0].strip().lower() for part in accepted.split(",")}
    return next((name for name in _PACKERS if name in names), None)


def packer(encoding: str) -> Packer:
    """A packer for one answer."""
    made: Packer = _PACKERS[encoding]()
    return made


class _Lz4Packer:
    """The frame format; its header is due before the first piece."""

    def __init__(self) -> None:
        self._compressor = lz4.frame.LZ4FrameCompressor()
        self._begin: bytes = self._compressor.begin()

    def compress(self, piece: bytes) -> bytes:
        begin, self._begin = self._begin, b""
        packed: bytes = self._compressor.compress(piece)
        return begin + packed

    def flush(self) -> bytes:
        begin, self._begin = self._begin, b""
        end: bytes = self._compressor.flush()
        return begin + end


# Level 1 throughout: the other end is on this machine.
_PACKERS: Final[dict[str, Callable[[], Any]]] = {
    "lz4": _Lz4Packer,
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
    "gzip": lambda: zlib.compressobj(1, zlib.DEFLATED, _GZIP),
    "deflate": lambda: zlib.compressobj(1),
}


def _pieces(body: bytes, encoding: str) -> Iterator[bytes]:
    """Unpacked pieces, each bounded, so that a small body cannot unpack into all memory at once.

    A body may be several packed ones, one after the other. One that ends early is an error.
    """
    unpack_one = {"gzip": _unzip, "deflate": _unzip, "lz4": _unpack_lz4, "zstd": _unpack_zstd}.get(encoding)
    if unpack_one is None:
        raise ClickHouseError(89, "UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method {encoding}", 400)
    rest = body
    while rest:
        rest = yield from unpack_one(rest)


def _unzip(body: bytes) -> Generator[bytes, None, bytes]:
    """Gives back what follows."""
    decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
    rest = body
    while not decompressor.eof:
        piece = decompressor.decompress(rest, _PIECE_BYTES)
        rest = decompressor.unconsumed_tail
        if not piece and not decompressor.eof:
            raise EOFError("it ends early")
        yield piece
    return decompressor.unused_data


def _unpack_lz4(body: bytes) -> Generator[bytes, None, bytes]:
    decompressor = lz4.frame.LZ4FrameDecompressor()
    rest = body
    while not decompressor.eof:
        piece = decompressor.decompress(rest, _PIECE_BYTES)
        rest = b""
        if not piece and not decompressor.eof and decompressor.needs_input:
            raise EOFError("it ends early")
        yield piece
    return decompressor.unused_data or b""


def _unpack_zstd(body: bytes) -> Generator[bytes, None, bytes]:
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    for at in range(0, len(body), _ZSTD_INPUT_BYTES):
        yield decompressor.decompress(body[at : at + _ZSTD_INPUT_BYTES])
        if decompressor.eof:
            return decompressor.unused_data + body[at + _ZSTD_INPUT_BYTES :]
    raise EOFError("it ends early")
