"""Which way a request takes, and that neither way can be told from the other: a real server around a scripted plane."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

import pytest
import uvicorn
from uvicorn.server import ServerState

from api.answers import DONE, Answer, accepted_at, accepted_in, json_answer
from api.asgi import Receive, Scope, Send
from api.devices.light_calls import LightCalls
from api.devices.light_route import LightRoute
from api.devices.paths import DevicePath, read_device_path
from api.http_protocol import MusterHttpProtocol
from tests.waiting import eventually

KEEP_ALIVE_S = 1
LIMIT_BYTES = 1000
DATE = (b"date", b"Sun, 22 Nov 2026 12:00:00 GMT")
BASE = "/api/flotta-backend/v1/namespaces/default/devices"
HEADERS = "Host: muster\r\nUser-Agent: Go-http-client/1.1\r\nAccept: application/json\r\n"


class ScriptedPlane:
    """Answers reads at once with their path, and heartbeats when told to."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.parsed: list[str] = []
        self.waiting: list[Callable[[Answer], None]] = []
        self.answers_at_once = True

    def take(self, method: str, path: DevicePath, body: bytes, reply: Callable[[Answer], None]) -> Answer | None:
        """The light way."""
        self.taken.append(f"{method} {path.call} {len(body)}")
        if method == "GET":
            return json_answer(f'"{path.device_id}"'.encode())
        if self.answers_at_once:
            asyncio.get_running_loop().call_soon(reply, accepted_at(accepted_in("1-2-3"), 4))
        else:
            self.waiting.append(reply)
        return None

    async def answer(self, method: str, raw_path: bytes, body: bytes) -> Answer:
        """The ASGI way."""
        path = read_device_path(raw_path)
        self.parsed.append(f"{method} {path.call} {len(body)}")
        if method == "GET":
            return json_answer(f'"{path.device_id}"'.encode())
        return accepted_at(accepted_in("1-2-3"), 4)

    def refuse(self, method: str, raw_path: bytes, error: Exception) -> Answer:  # noqa: ARG002
        """A body that cannot be taken."""
        self.parsed.append("refused")
        return DONE


class Feed:
    """Lost when a test says so."""

    def __init__(self) -> None:
        self.lost = False

    @property
    def age_s(self) -> float:
        """Seconds."""
        return 7.0 if self.lost else 0.0

    def is_lost(self) -> bool:
        """Whether it is."""
        return self.lost


class Served(NamedTuple):
    """A listening server and what stands behind it."""

    port: int
    plane: ScriptedPlane
    feed: Feed
    state: ServerState
    writers: list[asyncio.StreamWriter]


async def nothing_behind(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """No test gets here."""


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A listener with the light way."""
    plane, feed, state = ScriptedPlane(), Feed(), ServerState()
    state.default_headers = [DATE]
    app = LightRoute(plane, nothing_behind, LIMIT_BYTES, feed)
    config = uvicorn.Config(app, http=MusterHttpProtocol, ws="none", log_config=None, timeout_keep_alive=KEEP_ALIVE_S)
    config.load()
    protocol = functools.partial(
        MusterHttpProtocol,
        config=config,
        server_state=state,
        app_state={},
        light=LightCalls(plane, feed, LIMIT_BYTES),
    )
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    served = Served(server.sockets[0].getsockname()[1], plane, feed, state, [])
    yield served
    for writer in served.writers:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in served.writers), return_exceptions=True)
    server.close()
    await eventually(lambda: not state.connections)


class Connection(NamedTuple):
    """A client that sends bytes as it likes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: bytes) -> None:
        """Send each part by itself."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0.01)

    async def answer(self) -> bytes:
        """The next answer, whole."""
        async with asyncio.timeout(5):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            return head + await self.reader.readexactly(length)

    async def is_closed(self) -> bool:
        """Whether the server closes within a while."""
        async with asyncio.timeout(5):
            return await self.reader.read() == b""


async def connect(served: Served) -> Connection:
    """A new connection."""
    connection = Connection(*await asyncio.open_connection("127.0.0.1", served.port))
    served.writers.append(connection.writer)
    return connection


def get(call: str = "registration", headers: str = HEADERS, device: str = "d1") -> bytes:
    """A read."""
    return f"GET {BASE}/{device}/{call} HTTP/1.1\r\n{headers}\r\n".encode()


def put(body: bytes = b"{}", headers: str = HEADERS) -> bytes:
    """A heartbeat."""
    return f"PUT {BASE}/d1/heartbeat HTTP/1.1\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def post() -> bytes:
    """An enrolment."""
    body = b'{"features":{"modelName":"' + b"m" * 900 + b'"}}'
    return f"POST {BASE}/d1/enrolment HTTP/1.1\r\n{HEADERS}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("request_", "taken"),
    [
        (get(), "GET registration 0"),
        (put(), "PUT heartbeat 2"),
        (put().replace(b"/heartbeat", b"/registration"), "PUT registration 2"),
        (post(), "POST enrolment 929"),
    ],
)
async def test_the_first_of_its_kind_is_parsed_and_the_next_get_the_same_answer(
    served: Served, request_: bytes, taken: str
) -> None:
    """Byte for byte, on one connection and on another."""
    first, second = await connect(served), await connect(served)
    await first.send(request_)
    parsed = await first.answer()
    assert DATE[1] in parsed
    for connection in (first, second, first):
        await connection.send(request_)
        assert await connection.answer() == parsed
    assert (served.plane.parsed, served.plane.taken) == ([taken], [taken] * 3)


@pytest.mark.parametrize(
    "request_",
    [
        f"PUT {BASE}/d1/heartbeat HTTP/1.1\r\n{HEADERS}Transfer-Encoding: chunked\r\n\r\n".encode()
        + b"2\r\n{}\r\n0\r\n\r\n",
        put(headers=HEADERS + "Upgrade: h2c\r\nConnection: Upgrade\r\n"),
        put(body=b" " * (LIMIT_BYTES + 1)),
        get(headers=HEADERS + "Content-Length: 2\r\n") + b"{}",
        get().replace(b"HTTP/1.1", b"HTTP/1.0"),
        get(call="registration?x=1"),
        get().replace(b"Host: muster", b"Host:  muster"),
        get(call="heartbeat"),
        put().replace(b"/heartbeat", b"/playbookexecutions"),
        get(headers=HEADERS + "X-Long: " + "x" * 5000 + "\r\n"),
    ],
)
async def test_what_is_not_plain_is_always_parsed(served: Served, request_: bytes) -> None:
    """However often it comes."""
    for _ in range(3):
        connection = await connect(served)
        await connection.send(request_)
        assert (await connection.answer()).startswith(b"HTTP/1.1 200 OK\r\n")
    assert served.plane.taken == []
    assert len(served.plane.parsed) == 3


@pytest.mark.parametrize("line", [b"get /x HTTP/1.1", b"GET /x y HTTP/1.1", b"\xff\xfe"])
async def test_what_is_not_http_is_refused_behind_known_headers_too(served: Served, line: bytes) -> None:
    """Known header lines say nothing of a request line."""
    for _ in range(2):
        connection = await connect(served)
        await connection.send(get())
        await connection.answer()
        await connection.send(get().replace(f"GET {BASE}/d1/registration HTTP/1.1".encode(), line))
        assert b" 400 Bad Request\r\n" in await connection.answer()
        assert await connection.is_closed()


@pytest.mark.parametrize("cut", [1, 20, len(put()) - 2, len(put()) - 1])
async def test_a_request_in_two_parts_is_parsed_and_the_next_is_not(served: Served, cut: int) -> None:
    """The parser is asked again only between messages."""
    connection = await connect(served)
    await connection.send(put())
    whole = await connection.answer()
    await connection.send(put()[:cut], put()[cut:])
    assert await connection.answer() == whole
    await connection.send(put())
    assert await connection.answer() == whole
    assert (len(served.plane.parsed), len(served.plane.taken)) == (2, 1)


@pytest.mark.parametrize("burst", [[get(), put(), get("configuration")], [put(), put(), get()]])
async def test_pipelined_requests_are_answered_in_their_order(served: Served, burst: Sequence[bytes]) -> None:
    """All at once, or while a heartbeat is under way."""
    connection = await connect(served)
    expected = []
    for request_ in burst:
        await connection.send(request_)
        expected.append(await connection.answer())
    await connection.send(b"".join(burst))
    assert [await connection.answer() for _ in burst] == expected

    served.plane.answers_at_once = False
    await connection.send(put(), *burst)
    assert len(served.plane.waiting) == 1
    served.plane.answers_at_once = True
    served.plane.waiting[0](accepted_at(accepted_in("9-9-9"), 9))
    assert b"9-9-9-9" in await connection.answer()
    assert [await connection.answer() for _ in burst] == expected


async def test_a_client_that_left_is_not_answered(served: Served) -> None:
    """Nothing fails when its heartbeat is acknowledged afterwards."""
    connection = await connect(served)
    await connection.send(put())
    await connection.answer()
    served.plane.answers_at_once = False
    await connection.send(put())
    connection.writer.close()
    await eventually(lambda: not served.state.connections)
    served.plane.waiting[0](accepted_at(accepted_in("1-2-3"), 4))


@pytest.mark.parametrize(
    "request_", [get(headers=HEADERS + "Connection: close\r\n"), put(headers=HEADERS + "Connection: close\r\n")]
)
async def test_a_connection_is_closed_when_its_client_says_so(served: Served, request_: bytes) -> None:
    """With the answer, which says so, too."""
    for _ in range(3):
        connection = await connect(served)
        await connection.send(request_)
        assert b"\r\nconnection: close\r\n" in await connection.answer()
        assert await connection.is_closed()
    assert (len(served.plane.parsed), len(served.plane.taken)) == (1, 2)


async def test_a_stop_answers_what_is_under_way_first(served: Served) -> None:
    """And says that the connection ends; an idle one ends at once."""
    waiting, idle = await connect(served), await connect(served)
    for connection in (waiting, idle):
        await connection.send(put())
        await connection.answer()
    served.plane.answers_at_once = False
    await waiting.send(put())
    for protocol in list(served.state.connections):
        protocol.shutdown()
    assert await idle.is_closed()
    served.plane.waiting[0](accepted_at(accepted_in("1-2-3"), 4))
    assert b"\r\nconnection: close\r\n" in await waiting.answer()
    assert await waiting.is_closed()


async def test_an_idle_connection_is_closed_after_its_time_and_no_other(served: Served) -> None:
    """By the last answer, whichever way it took."""
    idle, busy = await connect(served), await connect(served)
    for connection in (idle, busy):
        await connection.send(get())
        await connection.answer()
    closing = asyncio.create_task(idle.is_closed())
    while not closing.done():
        await busy.send(get())
        await busy.answer()
        await asyncio.sleep(KEEP_ALIVE_S / 10)
    assert await closing
    await busy.send(get())
    await busy.answer()


async def test_a_client_that_does_not_read_is_not_written_to_for_ever(served: Served) -> None:
    """What waits for it in this process is bounded, however often it asks."""
    connection = await connect(served)
    await connection.send(get())
    await connection.answer()
    (protocol,) = served.state.connections
    protocol.transport.set_write_buffer_limits(1000)
    protocol.pause_writing()
    await connection.send(get(), get())
    assert served.plane.taken == []
    protocol.resume_writing()
    await connection.answer()
    await connection.answer()


async def test_a_process_that_lost_its_feed_says_so(served: Served) -> None:
    """As the ASGI way does."""
    connection = await connect(served)
    await connection.send(get())
    await connection.answer()
    served.feed.lost = True
    await connection.send(get())
    assert b"\r\nmuster-feed-age: 7\r\n" in await connection.answer()
    assert served.plane.taken == []
