"""One HTTP response as a ClickHouse server writes it: headers, pieces, compression, and errors before and amid them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from secrets import token_hex
from typing import Any, Final

from local.clickhouse.answers import Answer
from local.clickhouse.compression import packer
from local.clickhouse.engine import Engine
from local.clickhouse.errors import ClickHouseError
from local.clickhouse.request import Asked

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_TEXT: Final = "text/plain; charset=UTF-8"


class Reply:
    """One response: begun once, and an error after its beginning told as a server tells it."""

    def __init__(self, send: Send, engine: Engine) -> None:
        self._send = send
        self._engine = engine
        self._tag = token_hex(8)
        self._is_begun = False
        self.query_id = ""

    async def plain(self, status: int, text: str) -> None:
        """A short text, not about a query."""
        await self._whole(status, [(b"content-type", _TEXT.encode())], text.encode())

    async def refuse(self, error: ClickHouseError) -> None:
        """An error. After the beginning of an answer there is nothing left to say but by breaking off."""
        if self._is_begun:
            return
        headers = [
            *self._headers(_TEXT, None),
            (b"x-clickhouse-exception-code", str(error.code).encode()),
        ]
        if error.status == 401:  # noqa: PLR2004 - a browser asks its user when it sees this
            headers.append((b"www-authenticate", b'Basic realm="ClickHouse server HTTP API"'))
        if error.status == 503:  # noqa: PLR2004
            headers.append((b"retry-after", b"1"))
        await self._whole(error.status, headers, error.text(self._engine.version))

    async def answer(self, answer: Answer, asked: Asked, pieces: AsyncIterator[Answer | bytes]) -> None:
        """A whole answer with its length, or one in pieces."""
        headers = self._headers(answer.content_type, answer.format)
        headers.append((b"x-clickhouse-summary", answer.summary().encode()))
        encoding = asked.answer_encoding
        if encoding:
            headers.append((b"content-encoding", encoding.encode()))
        if answer.body is not None:
            body = await asyncio.to_thread(_packed, answer.body, encoding) if encoding else answer.body
            await self._whole(200, headers, body)
            return
        headers.append((b"x-clickhouse-exception-tag", self._tag.encode()))
        await self._begin(200, headers)
        await self._pieces(pieces, encoding)

    async def _pieces(self, pieces: AsyncIterator[Answer | bytes], encoding: str | None) -> None:
        pack = packer(encoding) if encoding else None
        try:
            async for piece in pieces:
                assert isinstance(piece, bytes)  # noqa: S101 - after the first, by contract
                await self._more(await asyncio.to_thread(pack.compress, piece) if pack else piece)
        except ClickHouseError as error:
            # As a server does since 25.11: the error in the body between tags, and the response left unfinished.
            told = _tagged(error.text(self._engine.version), self._tag)
            await self._more(pack.compress(told) + pack.flush() if pack else told)
            return
        await self._send({"type": "http.response.body", "body": pack.flush() if pack else b""})

    def _headers(self, content_type: str, output_format: str | None) -> Headers:
        headers = [
            (b"content-type", content_type.encode()),
            (b"x-clickhouse-server-display-name", self._engine.host.encode()),
            (b"x-clickhouse-query-id", self.query_id.encode("ascii", "replace")),
            (b"x-clickhouse-timezone", self._engine.timezone.encode()),
        ]
        if output_format is not None:
            headers.append((b"x-clickhouse-format", output_format.encode()))
        return headers

    async def _whole(self, status: int, headers: Headers, body: bytes) -> None:
        await self._begin(status, [*headers, (b"content-length", str(len(body)).encode())])
        await self._send({"type": "http.response.body", "body": body})

    async def _begin(self, status: int, headers: Headers) -> None:
        self._is_begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _more(self, piece: bytes) -> None:
        if piece:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})


def _packed(body: bytes, encoding: str) -> bytes:
    pack = packer(encoding)
    return pack.compress(body) + pack.flush()


def _tagged(text: bytes, tag: str) -> bytes:
    mark = tag.encode()
    length = str(len(text)).encode()
    return b"\r\n__exception__\r\n" + mark + b"\r\n" + text + length + b" " + mark + b"\r\n__exception__\r\n"
