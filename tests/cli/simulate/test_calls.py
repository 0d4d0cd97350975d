"""The Edge API's side of the HTTP interface, against a server that misbehaves on purpose."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

from cli.simulate.calls import Calls, open_session
from cli.simulate.measurements import Measurements
from local.free_ports import free_port
from tests.cli.scripted_server import Asked, ScriptedServer, Told, scripted_server

BODY = b'{"events":null,"playbook-executions":null,"status":"up","version":"v","workloads":null}\n'
OK = Told(200, b"", (("Muster-Position", "1-2-3-4"),))
BUSY = Told(503, b'{"message": "full"}')


@asynccontextmanager
async def calls_to(address: str) -> AsyncIterator[tuple[Calls, Measurements]]:
    """The calls of a fleet to a server."""
    measurements = Measurements()
    async with open_session() as session:
        yield Calls(session, address, measurements), measurements


def heartbeats(server: ScriptedServer) -> list[bytes]:
    """The bodies that arrived."""
    return [asked.body for asked in server.asked]


async def test_heartbeat_has_the_captured_headers_and_no_others() -> None:
    """Same names, same values, a body that ends in a newline, and no Transfer-Encoding."""
    with scripted_server(lambda _, __: OK) as server:
        async with calls_to(server.address) as (calls, _):
            answer = await calls.beat("ns1", "dev1", BODY)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("PUT", "/api/flotta-backend/v1/namespaces/ns1/devices/dev1/heartbeat")
    assert sorted(asked.headers) == [
        ("Accept", "application/json"),
        ("Accept-Encoding", "gzip"),
        ("Content-Length", "88"),
        ("Content-Type", "application/json"),
        ("Host", server.address.removeprefix("http://")),
        ("User-Agent", "Go-http-client/1.1"),
    ]
    assert (answer.status, answer.position) == (200, "1-2-3-4")


async def test_read_has_neither_content_length_nor_content_type() -> None:
    """As Go sends a GET."""
    with scripted_server(lambda _, __: Told(200, b"{}")) as server:
        async with calls_to(server.address) as (calls, _):
            await calls.configuration("ns1", "dev1")
            await calls.registration("ns1", "dev1")
            await calls.playbook_executions("ns1", "dev1")
    names = [sorted(name for name, _ in asked.headers) for asked in server.asked]
    assert names == [["Accept", "Accept-Encoding", "Host", "User-Agent"]] * 3
    assert [asked.path.rpartition("/")[2] for asked in server.asked] == [
        "configuration", "registration", "playbookexecutions",
    ]  # fmt: skip


async def test_failed_heartbeat_is_tried_four_times_with_identical_bytes() -> None:
    """50, 100 and 150 ms apart; then the device gives it up."""
    arrived: list[float] = []

    def refuse(_: Asked, __: int) -> Told:
        arrived.append(time.monotonic())
        return BUSY

    with scripted_server(refuse) as server:
        async with calls_to(server.address) as (calls, measurements):
            answer = await calls.beat("ns1", "dev1", BODY)
    assert answer.status == 503
    assert heartbeats(server) == [BODY] * 4
    pauses = [later - earlier for earlier, later in pairwise(arrived)]
    assert all(pause >= wanted for pause, wanted in zip(pauses, (0.05, 0.1, 0.15), strict=True))
    assert measurements.retried_heartbeats == 3
    assert measurements.abandoned_heartbeats == 1
    assert measurements.answers == {("PUT heartbeat", "503"): 4}
    assert measurements.refusals == {"PUT heartbeat 503": "full"}


async def test_heartbeat_that_is_accepted_at_last_is_acknowledged_once() -> None:
    """503, then a broken connection, then 200: no further try, the position of the last."""
    with scripted_server(lambda _, number: (BUSY, Told(0), OK)[min(number, 2)]) as server:
        async with calls_to(server.address) as (calls, measurements):
            answer = await calls.beat("ns1", "dev1", BODY)
    assert answer.position == "1-2-3-4"
    assert set(heartbeats(server)) == {BODY}
    assert measurements.abandoned_heartbeats == 0


async def test_device_hangs_up_after_a_second_whatever_tries_are_left() -> None:
    """The device's second covers all tries of its heartbeat."""

    def dawdle(_: Asked, number: int) -> Told:
        time.sleep(0.6 if number < 2 else 0)
        return BUSY

    with scripted_server(dawdle) as server:
        async with calls_to(server.address) as (calls, measurements):
            began = time.monotonic()
            answer = await calls.beat("ns1", "dev1", BODY)
            took_s = time.monotonic() - began
    assert answer.status == 0
    assert 0.95 < took_s < 1.4
    assert len(server.asked) == 2
    assert measurements.answers["PUT heartbeat", "no answer within 1 s"] == 1


async def test_nobody_listening_is_counted_and_raises_nothing() -> None:
    """A fleet outlives a restart of the service."""
    async with calls_to(f"http://127.0.0.1:{free_port()}") as (calls, measurements):
        assert (await calls.configuration("ns1", "dev1")).status == 0
    assert measurements.answers == {("GET configuration", "connection refused"): 1}
    assert measurements.errors == 1


async def test_redirect_is_not_followed() -> None:
    """A PUT would be repeated as a GET; Muster never sends one, and this would show it."""
    with scripted_server(lambda _, __: Told(302, b"", (("Location", "/elsewhere"),))) as server:
        async with calls_to(server.address) as (calls, measurements):
            await calls.registration("ns1", "dev1")
    assert len(server.asked) == 1
    assert measurements.answers == {("GET registration", "302"): 1}


async def test_many_calls_share_bounded_connections() -> None:
    """All are answered; the session's limit bounds how many connections there are."""
    with scripted_server(lambda _, __: Told(200, b"{}")) as server:
        async with calls_to(server.address) as (calls, measurements):
            await asyncio.gather(*(calls.configuration("ns1", f"dev{number}") for number in range(200)))
    assert measurements.total == 200
