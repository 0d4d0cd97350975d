"""ClickHouse's HTTP interface as an ASGI application: who may call, what is asked, and the answer on its way out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from secrets import token_hex
from typing import Any, Final
from urllib.parse import unquote

import structlog

from local.clickhouse.answers import Answer, Answers
from local.clickhouse.compression import packer, unpack
from local.clickhouse.engine import Engine
from local.clickhouse.errors import UNKNOWN_EXCEPTION, ClickHouseError, too_large
from local.clickhouse.lanes import Lane
from local.clickhouse.loopback import refusal
from local.clickhouse.passwords import Passwords
from local.clickhouse.request import Asked, read_request, url_parameters
from local.clickhouse.users import Role

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_MIB: Final = 1024 * 1024
_ANALYST_BODY_BYTES: Final = 2 * _MIB
"""Analysts send queries, no data; the longest query the engine reads is 1 MiB."""

_TEXT: Final = "text/plain; charset=UTF-8"
_METHODS: Final = ("GET", "HEAD", "POST", "PUT")

_log = structlog.get_logger("muster.clickhouse")


class ClickHouseApp:
    """The application. `close` stops what runs, for the end of the process."""

    def __init__(
        self, engine: Engine, answers: Answers, passwords: Passwords, lanes: Mapping[Role, Lane], body_limit_bytes: int
    ) -> None:
        self._engine = engine
        self._answers = answers
        self._passwords = passwords
        self._lanes = lanes
        self._body_limit_bytes = body_limit_bytes
        self._running: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        reply = _Reply(send, self._engine)
        try:
            await self._answer(scope, receive, reply)
        except ClickHouseError as error:
            await reply.refuse(error)
        except Exception:  # noqa: BLE001 - the outermost place: a client sees no stack trace
            _log.exception("a request failed")
            await reply.refuse(ClickHouseError(UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", "Internal error, see the log"))

    def close(self) -> None:
        """Cancel all running statements and take no more. Blocks for some milliseconds."""
        for lane in self._lanes.values():
            lane.close()
        if self._running:
            self._engine.kill(list(self._running))

    async def _answer(self, scope: Scope, receive: Receive, reply: "_Reply") -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if reason := refusal(headers.get("host"), headers.get("origin")):
            _log.warning("refused a caller", host=headers.get("host"), origin=headers.get("origin"))
            await reply.plain(403, reason)
            return
        path, method = unquote(scope["raw_path"].decode("latin-1").partition("?")[0]), scope["method"]
        if method not in _METHODS:
            await reply.plain(501, f"Method {method} is not supported\n")
        elif path in ("/ping", "/replicas_status"):
            await reply.plain(200, "Ok.\n")
        elif path not in ("/", "/query"):
            await reply.plain(404, f"There is no handle {path}\n\nUse / or /ping\n")
        elif path == "/" and method in ("GET", "HEAD") and not scope["query_string"]:
            await reply.plain(200, "Ok.\n")
        else:
            await self._query(scope, headers, receive, reply)

    async def _query(self, scope: Scope, headers: Mapping[str, str], receive: Receive, reply: "_Reply") -> None:
        parameters = url_parameters(scope["query_string"])
        reply.query_id = parameters.get("query_id", "")
        role = self._passwords.role_of(headers, parameters)
        limit_bytes = _ANALYST_BODY_BYTES if role is Role.ANALYST else self._body_limit_bytes
        body = await _read_body(receive, headers, limit_bytes)
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding:
            body = await asyncio.to_thread(unpack, body, encoding, limit_bytes)
        asked = read_request(scope["method"], headers, parameters, body, "")
        reply.query_id = asked.query_id
        mark = token_hex(8)
        self._running.add(mark)
        watch = asyncio.create_task(self._kill_when_gone(receive, mark))
        try:
            async with self._lanes[role].pieces(self._answers.perform(asked, role, mark)) as pieces:
                answer = await anext(pieces)
                assert isinstance(answer, Answer)  # noqa: S101 - the first piece, by contract
                await reply.answer(answer, asked, pieces)
        finally:
            watch.cancel()
            self._running.discard(mark)

    async def _kill_when_gone(self, receive: Receive, mark: str) -> None:
        """Nobody waits for the answer once the client hung up."""
        while (await receive())["type"] != "http.disconnect":
            pass
        await asyncio.to_thread(self._engine.kill, [mark])


class _Reply:
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


async def _read_body(receive: Receive, headers: Mapping[str, str], limit_bytes: int) -> bytes:
    """The body as it came. Raises ClickHouseError when it is too large or its sender is gone."""
    with suppress(ValueError):
        if int(headers.get("content-length", "0")) > limit_bytes:
            raise too_large(f"Request body is larger than {limit_bytes} bytes: MUSTER_CLICKHOUSE_BODY_LIMIT_MIB")
    parts: list[bytes] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClickHouseError(210, "NETWORK_ERROR", "The client hung up")
        parts.append(message.get("body", b""))
        size_bytes += len(parts[-1])
        if size_bytes > limit_bytes:
            raise too_large(f"Request body is larger than {limit_bytes} bytes: MUSTER_CLICKHOUSE_BODY_LIMIT_MIB")
        if not message.get("more_body", False):
            return b"".join(parts)


def _packed(body: bytes, encoding: str) -> bytes:
    pack = packer(encoding)
    return pack.compress(body) + pack.flush()


def _tagged(text: bytes, tag: str) -> bytes:
    mark = tag.encode()
    length = str(len(text)).encode()
    return b"\r\n__exception__\r\n" + mark + b"\r\n" + text + length + b" " + mark + b"\r\n__exception__\r\n"
