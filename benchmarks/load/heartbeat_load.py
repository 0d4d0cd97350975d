"""`PUT heartbeat` of a whole fleet, as a load for wrk."""

from math import gcd
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.load.heartbeat_bodies import EVENTS_AT, HARDWARE_AT, NEWS_AT, shapes
from benchmarks.load.lua_tables import lua
from benchmarks.load.request_heads import request_pieces
from benchmarks.load.wrk import Script

_GOLDEN_SHARE: Final = 0.6180339887
_DRAIN_S: Final = 1
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

    `positions` receives what was acknowledged; without it answers are only counted. `closes_connections`: each call on
    a new connection.
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
    return Script("heartbeats.lua", environ, _DRAIN_S)


def sent_by_device(devices: int, beats_before: int, sent: int) -> npt.NDArray[np.int64]:
    """How many of the `sent` heartbeats that followed `beats_before` were each device's."""
    rounds, rest = divmod(sent, devices)
    numbers = (np.arange(beats_before, beats_before + rest) % devices) * stride(devices) % devices
    return np.bincount(numbers, minlength=devices) + rounds


def stride(devices: int) -> int:
    """A step with which every device is met once before any is met twice."""
    step = max(1, int(devices * _GOLDEN_SHARE))
    while gcd(step, devices) != 1:
        step += 1
    return step


def _pieces(seed: int, *, closes_connections: bool) -> str:
    def request(body: bytes) -> list[bytes]:
        return request_pieces("PUT", "heartbeat", body, closes_connections=closes_connections)

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
