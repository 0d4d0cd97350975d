"""Bodies of a fleet's heartbeats, as pieces that the load generator joins around a device's number.

Shapes and seed are those of `muster simulate`: agents of three generations, 0 to 4 workloads, most bodies of 0.3 to
2 kB. Of a hundred heartbeats of a device, five bring news (two of these with events) and one all of its hardware; the
others say what the one before said, byte for byte, but for the three that follow events or hardware and leave them out.
"""

import random
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import orjson

from benchmarks.load.request_heads import MARK
from cli.simulate.hardware import full_hardware, passing_hardware

SHAPES: Final = 64
"""Devices whose content differs in more than their number."""

VARIANTS: Final = 4
"""States that a device goes through, one after the other, with each change."""

NEWS_AT: Final = (10, 30, 50, 70, 90)
"""Of a hundred heartbeats, those that bring another state."""

EVENTS_AT: Final = (30, 70)
HARDWARE_AT: Final = 0

_STATES: Final = ("Running", "Created", "Exited", "crashed")
_WORKLOADS: Final = ("nginx", "collector", "camera", "gateway", "inference")
_MARK: Final = "9999999"
"""A number no device of a benchmark has."""


class Shape(NamedTuple):
    """The bodies of one kind of device, with `mark` where its number goes: plain and with events by variant."""

    plain: list[bytes]
    with_events: list[bytes]
    with_hardware: list[bytes]


def shapes(seed: int) -> Iterator[Shape]:
    """The kinds of devices, always the same for a seed."""
    for index in range(SHAPES):
        random_ = random.Random(f"heartbeats/{seed}/{index}")  # noqa: S311 - contents of a simulation
        names = random_.sample(_WORKLOADS, index % 5)
        hardware = full_hardware(seed, index)
        hardware["hostname"] = f"host-{_MARK}.example.com"
        yield Shape(
            [_body(index, names, variant, None, hardware) for variant in range(VARIANTS)],
            [_body(index, names, variant, _events(names, random_), hardware) for variant in range(VARIANTS)],
            [_body(index, names, variant, [], hardware, is_complete=True) for variant in range(VARIANTS)],
        )


def mean_size_bytes(seed: int) -> float:
    """Of the heartbeats of a fleet in the long run."""
    total = 0.0
    for shape in shapes(seed):
        plain, with_events, with_hardware = (sum(map(len, bodies)) / VARIANTS for bodies in shape)
        total += (plain * (99 - len(EVENTS_AT)) + with_events * len(EVENTS_AT) + with_hardware) / 100
    return total / SHAPES


def _body(
    index: int,
    names: list[str],
    variant: int,
    events: list[dict[str, str]] | None,
    hardware: dict[str, Any],
    *,
    is_complete: bool = False,
) -> bytes:
    is_current, is_oldest = index % 4 in {0, 1}, index % 4 == 3  # noqa: PLR2004 - three generations, current ones twice
    body: dict[str, Any] = {"events": events if events is not None else None if is_oldest else []}
    if is_complete:
        body["hardware"] = hardware
    elif is_current:
        body["hardware"] = passing_hardware(hardware)
    body["playbook-executions"] = None
    body["status"] = "degraded" if variant == VARIANTS - 1 else "up"
    if is_current:
        body["upgrade"] = {"current_commit_ID": "unknown"}
    body["version"] = f"{index:032x}"
    body["workloads"] = [
        {
            "last_data_upload": "0001-01-01T00:00:00.000Z" if place % 2 else f"2026-11-0{1 + variant}T05:06:07.123Z",
            "name": f"{name}-sample{index % 3}",
            "status": _STATES[variant] if place == 0 else _STATES[0],
        }
        for place, name in enumerate(names)
    ]
    return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE).replace(_MARK.encode(), MARK, 1)


def _events(names: list[str], random_: random.Random) -> list[dict[str, str]]:
    workload = names[0] if names else "device"
    container = f"{random_.getrandbits(256):064x}"
    message = (
        f"error starting container {container}: cannot listen on the TCP port of {workload}: listen tcp4 :8080: bind: "
        "address already in use"
    )
    return [{"message": message, "reason": "Failed", "type": "warn"}] * random_.randint(1, 3)
