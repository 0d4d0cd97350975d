"""ClickHouse's HTTP interface as an ASGI application: who may call, what is asked, and the answer on its way out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from secrets import token_hex
from typing import Any, Final
from urllib.parse import unquote

import structlog

from local.clickhouse.answers import Answer, Answers
from local.clickhouse.compression import unpack
from local.clickhouse.engine import Engine
from local.clickhouse.errors import UNKNOWN_EXCEPTION, ClickHouseError, body_too_large
from local.clickhouse.lanes import Lane
from local.clickhouse.loopback import refusal
from local.clickhouse.passwords import Passwords
from local.clickhouse.reply import Reply, Send
from local.clickhouse.request import read_request, url_parameters
from local.clickhouse.users import Role

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_MIB: Final = 1024 * 1024
_ANALYST_BODY_BYTES: Final = 2 * _MIB
"""Analysts send queries, no data; the longest query the engine reads is 1 MiB."""

_METHODS: Final = ("GET", "HEAD", "POST", "PUT")

_log = structlog.get_logger("muster.clickhouse")


class ClickHouseApp:
    """The application."""

    def __init__(
        self, engine: Engine, answers: Answers, passwords: Passwords, lanes: Mapping[Role, Lane], body_limit_bytes: int
    ) -> None:
        self._engine = engine
        self._answers = answers
        self._passwords = passwords
        self._lanes = lanes
        self._body_limit_bytes = body_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        reply = Reply(send, self._engine)
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
        self._answers.cancel_all()

    async def _answer(self, scope: Scope, receive: Receive, reply: Reply) -> None:
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

    async def _query(self, scope: Scope, headers: Mapping[str, str], receive: Receive, reply: Reply) -> None:
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
        watch = asyncio.create_task(self._kill_when_gone(receive, mark))
        try:
            async with self._lanes[role].pieces(self._answers.perform(asked, role, mark)) as pieces:
                answer = await anext(pieces)
                assert isinstance(answer, Answer)  # noqa: S101 - the first piece, by contract
                await reply.answer(answer, asked, pieces)
        finally:
            watch.cancel()

    async def _kill_when_gone(self, receive: Receive, mark: str) -> None:
        """Nobody waits for the answer once the client hung up."""
        while (await receive())["type"] != "http.disconnect":
            pass
        await asyncio.to_thread(self._engine.kill, [mark])


async def _read_body(receive: Receive, headers: Mapping[str, str], limit_bytes: int) -> bytes:
    """The body as it came. Raises ClickHouseError when it is too large or its sender is gone."""
    with suppress(ValueError):
        if int(headers.get("content-length", "0")) > limit_bytes:
            raise body_too_large(limit_bytes)
    parts: list[bytes] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClickHouseError(210, "NETWORK_ERROR", "The client hung up")
        parts.append(message.get("body", b""))
        size_bytes += len(parts[-1])
        if size_bytes > limit_bytes:
            raise body_too_large(limit_bytes)
        if not message.get("more_body", False):
            return b"".join(parts)
