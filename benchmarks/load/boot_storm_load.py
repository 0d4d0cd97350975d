"""Devices that start for the first time, as a load for wrk."""

from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks.fleet_content import INITIAL_NAMESPACE, NAMESPACE
from benchmarks.load.heartbeat_bodies import shapes
from benchmarks.load.lua_tables import lua
from benchmarks.load.request_heads import MARK, request_pieces
from benchmarks.load.wrk import Script
from cli.simulate.certificate_request import certificate_request
from cli.simulate.hardware import full_hardware

PREFIX: Final = "storm-"
CALLS: Final = (
    "POST enrolment",
    "GET registration",
    "POST enrolment",
    "PUT registration",
    "PUT registration",
    "GET configuration",
    "PUT heartbeat",
)
"""In a device's order. It enrols until the answer is 200, and one that is approved at once registers twice (CONTRACT.md
“Who may register”)."""

_SHAPES: Final = 64
_MARK: Final = "9999999"


def boot_storm_script(folder: Path, *, devices: int, gap: int, seed: int, positions: Path) -> Script:
    """All calls of `devices` once; a device's next call comes `gap` devices after its last."""
    source = folder / f"boot-storm-{seed}.pieces.lua"
    hardware = [_hardware(seed, index) for index in range(_SHAPES)]
    enrolments = [_enrolment(each) for each in hardware]
    registrations = [_registration(index, each) for index, each in enumerate(hardware)]
    here = partial(request_pieces, namespace=INITIAL_NAMESPACE, prefix=PREFIX)
    there = partial(request_pieces, namespace=NAMESPACE, prefix=PREFIX)
    requests = {
        "POST enrolment": [there("POST", "enrolment", body) for body in enrolments],
        "GET registration": [here("GET", "registration")],
        "PUT registration": [there("PUT", "registration", body) for body in registrations],
        "GET configuration": [there("GET", "configuration")],
        "PUT heartbeat": [there("PUT", "heartbeat", shape.with_hardware[0]) for shape in shapes(seed)],
    }
    source.write_text(f"return {lua({'steps': [requests[call] for call in CALLS]})}\n")
    return Script(
        "boot_storm.lua",
        {
            "BENCH_PIECES": str(source),
            "BENCH_DEVICES": str(devices),
            "BENCH_GAP": str(gap),
            "BENCH_POSITIONS": str(positions),
        },
    )


def _hardware(seed: int, index: int) -> dict[str, Any]:
    return full_hardware(seed, index) | {"hostname": f"host-{_MARK}.example.com"}


def _enrolment(hardware: dict[str, Any]) -> bytes:
    return _encoded({"features": {"hardware": hardware}, "target_namespace": NAMESPACE})


def _registration(index: int, hardware: dict[str, Any]) -> bytes:
    return _encoded({"certificate_request": certificate_request(f"{PREFIX}{index}"), "hardware": hardware})


def _encoded(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE).replace(_MARK.encode(), MARK, 1)
