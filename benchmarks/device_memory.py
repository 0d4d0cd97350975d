"""What a device costs in the memory of an API process, at three sizes of fleet, and how long the first load takes.

A process that serves takes a hundred megabytes with no device at all, and no two runs of it are the same to the
megabyte. So what a device costs is the slope: by how much the resident memory of a real API process that has just
loaded differs from one size to the next, by device. Beside it stands what a process holds that loads and does nothing
else.
"""

import subprocess
import sys
import time
from itertools import pairwise
from typing import Final

import msgspec

from benchmarks.benchmark import Findings, Say
from benchmarks.errors import BenchmarkError
from benchmarks.measuring.processor_time import usage
from benchmarks.parts.beating_fleet import registered_fleet
from benchmarks.parts.installation import Installation
from benchmarks.parts.load_probe import Held
from benchmarks.report.result import Check, Figure, Line, Plot
from benchmarks.scale import Workplace

QUESTION: Final = "how many bytes does a device cost in an API process, and how long is the first load?"

_SIZES: Final = (10_000, 100_000, 1_000_000)
_TRACED_UP_TO: Final = 100_000
"""Tracing every allocation of a larger fleet takes minutes."""

_SETTLED_AFTER_S: Final = 2.0
"""After its first load a process catches up with the feed, and has then made what it makes once."""

_PROBE_WITHIN_S: Final = 900.0
_AIM_BYTES: Final = 300

_decode = msgspec.json.Decoder(Held).decode


class _Sized(msgspec.Struct, frozen=True):
    """`api_bytes` is the API process's resident memory once it was ready for some seconds."""

    devices: int
    held: Held
    traced_bytes: int
    api_bytes: int
    ready_after_s: float


def measure(workplace: Workplace, say: Say) -> Findings:
    """Each size up to the scale's, after what the API process takes with no device at all."""
    scale = msgspec.structs.replace(workplace.scale, api_processes=1)
    sizes = [size for size in _SIZES if size < scale.devices] + [scale.devices]
    sized: list[_Sized] = []
    for devices in (0, *sizes):
        with registered_fleet(workplace, msgspec.structs.replace(scale, devices=devices), say) as installation:
            time.sleep(_SETTLED_AFTER_S)
            api_bytes = usage(installation.processes()).resident_bytes["api"]
            held = _probe(installation)
            traced = _probe(installation, "--traced").traced_bytes if devices <= _TRACED_UP_TO else 0
            sized.append(_Sized(devices, held, traced, api_bytes, installation.ready_after_s))
            settings = installation.chosen
        say(f"{devices:,}: the API process has {api_bytes / 1e6:,.1f} MB; loaded alone in {held.load_s:.1f} s")
    fleets = sized[1:]
    right = all(each.held.devices == each.devices for each in sized)
    return Findings(
        settings,
        (Check("every process holds every device", right, ", ".join(f"{each.held.devices:,}" for each in sized)),),
        (
            Figure("0: the API process, ready", "MB", (sized[0].api_bytes / 1e6,)),
            *(figure for before, each in pairwise(sized) for figure in _figures(each, before)),
        ),
        plots=(
            Plot(
                "bytes",
                "resident memory a device",
                "devices",
                "bytes",
                (
                    Line(
                        "the API process, against the size before",
                        tuple(float(each.devices) for each in fleets),
                        tuple(_slope(each, before) for before, each in pairwise(sized)),
                    ),
                    Line(
                        "a process that only loads",
                        tuple(float(each.devices) for each in fleets),
                        tuple(each.held.loaded_bytes / each.devices for each in fleets),
                    ),
                    Line(
                        "with every configuration assembled",
                        tuple(float(each.devices) for each in fleets),
                        tuple(each.held.read_bytes / each.devices for each in fleets),
                    ),
                ),
                is_logarithmic=True,
            ),
        ),
    )


def _slope(each: _Sized, before: _Sized) -> float:
    return (each.api_bytes - before.api_bytes) / (each.devices - before.devices)


def _figures(each: _Sized, before: _Sized) -> tuple[Figure, ...]:
    name, held, devices = f"{each.devices:,}", each.held, each.devices
    traced = (Figure(f"{name}: Python's own", "B/device", (each.traced_bytes / devices,)),) if each.traced_bytes else ()
    return (
        Figure(f"{name}: the API process, ready", "MB", (each.api_bytes / 1e6,)),
        Figure(
            f"{name}: the API process, for each device more than {before.devices:,}",
            "B/device",
            (_slope(each, before),),
            f"{_AIM_BYTES}",
        ),
        Figure(f"{name}: a process that only loads", "B/device", (held.loaded_bytes / devices,)),
        *traced,
        Figure(f"{name}: every configuration assembled", "B/device", (held.read_bytes / devices,)),
        Figure(f"{name}: `muster up` until all is ready, one API process", "s", (each.ready_after_s,)),
        Figure(f"{name}: first load", "s", (held.load_s,)),
        Figure(f"{name}: first load, processor", "µs/device", (held.load_processor_s / devices * 1e6,)),
        Figure(f"{name}: first read of each, processor", "µs/device", (held.read_processor_s / devices * 1e6,)),
        Figure(f"{name}: bodies held", "", (float(held.bodies),)),
    )


def _probe(installation: Installation, *arguments: str) -> Held:
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.parts.load_probe", *arguments],
        env=installation.environ,
        capture_output=True,
        timeout=_PROBE_WITHIN_S,
        check=False,
    )
    if told.returncode:
        raise BenchmarkError(f"the fleet could not be loaded:\n{told.stderr.decode()[-2000:]}")
    return _decode(told.stdout)
