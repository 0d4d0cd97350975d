"""`PUT heartbeat` of a whole fleet, as a load for wrk."""

from math import gcd
from pathlib import Path
from typing import Final

from benchmarks.fleet_content import NAMESPACE, device_id
from benchmarks.load.heartbeat_bodies import EVENTS_AT, HARDWARE_AT, NEWS_AT, NUMBER_DIGITS, pieces, shapes
from benchmarks.load.lua_tables import lua
from benchmarks.load.wrk import Script

BASE_PATH: Final = "/api/flotta-backend/v1"
_GOLDEN_SHARE: Final = 0.6180339887
_BAD_BODY: Final = b'{"events":[{"type":1}],"status":"up"}\n'
"""Malformed: a known field of another type."""


def heartbeat_script(
    folder: Path,
    *,
    devices: int,
    seed: int,
    beats_before: int = 0,
    positions: Path | None = None,
    bad_every: int = 0,
    closes_connections: bool = False,
) -> Script:
    """Heartbeats of `devices`, going on after `beats_before`; every `bad_every`-th is malformed.

    `positions` receives what was acknowledged. `closes_connections`: each call on a new connection.
    """
    source = folder / f"heartbeats-{seed}{'-closing' if closes_connections else ''}.pieces.lua"
    if not source.exists():
        source.write_text(_pieces(seed, closes_connections=closes_connections))
    environ = {
        "BENCH_PIECES": str(source),
        "BENCH_DEVICES": str(devices),
        "BENCH_STRIDE": str(stride(devices)),
        "BENCH_BEATS_BEFORE": str(beats_before),
        "BENCH_BAD_EVERY": str(bad_every),
    }
    if positions is not None:
        environ["BENCH_POSITIONS"] = str(positions)
    return Script("heartbeats.lua", environ)


def stride(devices: int) -> int:
    """A step with which every device is met once before any is met twice."""
    step = max(1, int(devices * _GOLDEN_SHARE))
    while gcd(step, devices) != 1:
        step += 1
    return step


def request_head(method: str, call: str, *, size_bytes: int | None, closes_connections: bool) -> tuple[bytes, bytes]:
    """What stands before and after a device's number in the head of a call, as the Edge API's client writes it."""
    before = f"{method} {BASE_PATH}/namespaces/{NAMESPACE}/devices/{device_id(0)[:-NUMBER_DIGITS]}"
    lines = ["Host: muster.example.com", "User-Agent: Go-http-client/1.1"]
    if size_bytes is not None:
        lines.append(f"Content-Length: {size_bytes}")
    lines.append("Accept: application/json")
    if size_bytes is not None:
        lines.append("Content-Type: application/json")
    lines.append("Accept-Encoding: gzip")
    if closes_connections:
        lines.append("Connection: close")
    after = f"/{call} HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n"
    return before.encode(), after.encode()


def _pieces(seed: int, *, closes_connections: bool) -> str:
    def request(body: bytes) -> list[bytes]:
        parts = pieces(body)
        size_bytes = len(body)
        before, after = request_head("PUT", "heartbeat", size_bytes=size_bytes, closes_connections=closes_connections)
        return [before, after + parts[0], *parts[1:]]

    table = {
        "shapes": [
            {
                "plain": [request(body) for body in shape.plain],
                "with_events": [request(body) for body in shape.with_events],
                "with_hardware": [request(body) for body in shape.with_hardware],
                "bad": request(_BAD_BODY),
            }
            for shape in shapes(seed)
        ],
        "has_events": [at in EVENTS_AT for at in range(100)],
        "news_before": [sum(1 for news in NEWS_AT if news <= at) for at in range(100)],
        "news_a_cycle": len(NEWS_AT),
        "hardware_at": HARDWARE_AT,
    }
    return f"return {lua(table)}\n"
