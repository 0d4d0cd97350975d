"""Polls of a fleet, as a load for wrk: the calls that devices make again and again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.load.heartbeat_load import stride
from benchmarks.load.lua_tables import lua
from benchmarks.load.request_heads import request_pieces
from benchmarks.load.wrk import Script

ROUNDS_A_MINUTE: Final = 12
"""CONTRACT.md “How often”: registration and configuration every 5 s."""


def poll_script(
    folder: Path,
    calls: Sequence[str],
    *,
    devices: int,
    once_a_minute: str = "",
    polled_before: int = 0,
    closes_connections: bool = False,
) -> Script:
    """`GET` each of `calls` for device after device; `once_a_minute` is another call, made in one of twelve rounds.

    The first device is the one after `polled_before` others.
    """
    parts = [*calls, once_a_minute, "closing" if closes_connections else "keeping"]
    source = folder / f"polls-{'-'.join(parts)}.pieces.lua"
    rare = request_pieces("GET", once_a_minute, closes_connections=closes_connections) if once_a_minute else None
    table: dict[str, object] = {
        "calls": [request_pieces("GET", call, closes_connections=closes_connections) for call in calls],
        "rare_every": ROUNDS_A_MINUTE,
    }
    if rare:
        table["rare"] = rare
    source.write_text(f"return {lua(table)}\n")
    environ = {
        "BENCH_PIECES": str(source),
        "BENCH_DEVICES": str(devices),
        "BENCH_STRIDE": str(stride(devices)),
        "BENCH_POLLED_BEFORE": str(polled_before),
    }
    return Script("polls.lua", environ)
