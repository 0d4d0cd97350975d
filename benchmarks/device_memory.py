"""What a device costs in the memory of an API process, at three sizes of fleet, and how long the first load takes."""

import subprocess
import sys
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

_PROBE_WITHIN_S: Final = 900.0
_AIM_BYTES: Final = 300

_decode = msgspec.json.Decoder(Held).decode


class _Sized(msgspec.Struct, frozen=True):
    devices: int
    held: Held
    traced_bytes: int
    api_bytes: int


def measure(workplace: Workplace, say: Say) -> Findings:
    """Each size up to the scale's, beside what the API process takes with no device at all."""
    scale = msgspec.structs.replace(workplace.scale, api_processes=1)
    sizes = [size for size in _SIZES if size < scale.devices] + [scale.devices]
    sized: list[_Sized] = []
    for devices in (1, *sizes):
        with registered_fleet(workplace, msgspec.structs.replace(scale, devices=devices), say) as installation:
            held = _probe(installation)
            traced = _probe(installation, "--traced").traced_bytes if devices <= _TRACED_UP_TO else 0
            api_bytes = usage(installation.processes()).resident_bytes["api"]
            sized.append(_Sized(devices, held, traced, api_bytes))
            settings = installation.chosen
        say(f"{devices:,}: {held.loaded_bytes / devices:,.0f} B a device, loaded in {held.load_s:.1f} s")
    nothing, *fleets = sized
    right = all(each.held.devices == each.devices for each in sized)
    return Findings(
        settings,
        (Check("every process holds every device", right, ", ".join(f"{each.held.devices:,}" for each in sized)),),
        tuple(figure for each in fleets for figure in _figures(each, nothing)),
        plots=(
            Plot(
                "bytes",
                "resident memory a device",
                "devices",
                "bytes",
                (
                    Line(
                        "loaded",
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


def _figures(each: _Sized, nothing: _Sized) -> tuple[Figure, ...]:
    name, held, devices = f"{each.devices:,}", each.held, each.devices
    traced = (Figure(f"{name}: Python's own", "B/device", (each.traced_bytes / devices,)),) if each.traced_bytes else ()
    return (
        Figure(f"{name}: loaded", "B/device", (held.loaded_bytes / devices,), f"{_AIM_BYTES}"),
        *traced,
        Figure(f"{name}: every configuration assembled", "B/device", (held.read_bytes / devices,)),
        Figure(f"{name}: the API process, ready", "B/device", ((each.api_bytes - nothing.api_bytes) / devices,)),
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
