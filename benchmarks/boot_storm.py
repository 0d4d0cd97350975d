"""A whole fleet that starts for the first time at once: enrols, registers with all its hardware, beats."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from benchmarks.benchmark import Findings, Say
from benchmarks.fleet_content import NAMESPACE
from benchmarks.ledger import Verdict, check, stored_rows, wait_until_stored
from benchmarks.load.boot_storm_load import CALLS, PREFIX, boot_storm_script
from benchmarks.load.wrk import Load, Outcome
from benchmarks.measuring.processor_time import usage, used_between
from benchmarks.measuring.watch import Watch
from benchmarks.parts.beating_fleet import registered_fleet
from benchmarks.parts.installation import GENERATOR, STAGES
from benchmarks.report.result import Check, Figure
from benchmarks.scale import Workplace

QUESTION: Final = "how many devices can enrol, register with 17 kB of hardware and beat for the first time in a minute?"

_WITHIN_S: Final = 60.0
_SHORT_S: Final = 20.0
_AT_MOST: Final = 30_000
"""Devices of the storm: the fleet whose whole conversation is to be served on two cores."""

_STANDING: Final = 1000
"""Devices that are registered already."""

_GAP_S: Final = 1.0
"""Between a device's calls: longer than any answer."""


class Storm(NamedTuple):
    """What one came to. `used` is processor time by stage, seconds; `peak_mib` memory by stage."""

    chosen: dict[str, str]
    registered: int
    beaten: int
    outcome: Outcome
    verdict: Verdict
    used: dict[str, float]
    peak_mib: dict[str, float]


def measure(workplace: Workplace, say: Say) -> Findings:
    """Send the calls of `devices` in an open loop within a minute, and look who is registered and has beaten."""
    scale = workplace.scale
    devices = min(scale.devices, _AT_MOST)
    seconds = _SHORT_S if workplace.is_quick else _WITHIN_S
    # Devices go on beginning until the last one's last call is still within the time.
    rate = devices * len(CALLS) / (seconds - _GAP_S * len(CALLS))
    storms = []
    for number in range(scale.repeats):
        place = msgspec.structs.replace(workplace, folder=workplace.folder / f"storm-{number}")
        storms.append(storm := _storm(place, devices, seconds, rate, say))
        statuses = storm.outcome.told_statuses
        say(f"{devices:,} devices: {storm.registered:,} registered, {storm.beaten:,} have beaten; {statuses}")
    return Findings(
        storms[0].chosen,
        (
            Check(
                "each is registered",
                all(storm.registered == devices for storm in storms),
                ", ".join(f"{storm.registered:,}" for storm in storms) + f" of {devices:,}",
            ),
            Check(
                "each has beaten",
                all(storm.beaten == devices for storm in storms),
                ", ".join(f"{storm.beaten:,}" for storm in storms) + f" of {devices:,}",
            ),
            Check(
                "each acknowledged heartbeat is stored exactly once",
                all(storm.verdict.is_clean for storm in storms),
                "; ".join(str(storm.verdict) for storm in storms),
            ),
        ),
        (
            Figure("devices", "", (float(devices),), "those of the conversation, within a minute: 30,000 at least"),
            _figure(storms, "registered and beaten", "", lambda storm: min(storm.registered, storm.beaten)),
            Figure("calls offered", "1/s", (rate,)),
            _figure(storms, "calls answered", "1/s", lambda storm: storm.outcome.answered / storm.outcome.duration_s),
            _figure(storms, "not 200 or 201", "calls", _refused),
            _figure(storms, "any answer, p50", "ms", lambda storm: storm.outcome.latency_ms["p50"]),
            _figure(storms, "any answer, p99", "ms", lambda storm: storm.outcome.latency_ms["p99"]),
            *(
                Figure(
                    f"processor, {stage}",
                    "ms/device",
                    tuple(storm.used[stage] / devices * 1000 for storm in storms),
                )
                for stage in (*STAGES, GENERATOR)
            ),
            *(
                Figure(f"memory, {stage}", "MiB", tuple(storm.peak_mib.get(stage, 0.0) for storm in storms))
                for stage in STAGES
            ),
        ),
        notes=(
            (f"Each device: {', '.join(CALLS)}, {_GAP_S:g} s apart; enrolled in {NAMESPACE}, approved by the setting."),
            *(f"Answers: {storm.outcome.told_statuses}." for storm in storms),
        ),
    )


def _storm(workplace: Workplace, devices: int, seconds: float, rate: float, say: Say) -> Storm:
    scale = workplace.scale
    standing = msgspec.structs.replace(scale, devices=_STANDING)
    workplace.folder.mkdir(parents=True, exist_ok=True)
    with registered_fleet(workplace, standing, say, {"DEVICES_AUTO_APPROVE": "true"}) as installation:
        positions = installation.folder / "positions-storm"
        gap = max(1, int(rate / len(CALLS) * _GAP_S))
        script = boot_storm_script(installation.folder, devices=devices, gap=gap, seed=scale.seed, positions=positions)
        stored_before = stored_rows(installation)
        since_ms = int(time.time() * 1000)
        before = usage(installation.processes())
        with Watch(installation) as watch:
            outcome = Load(
                installation.address,
                script,
                installation.folder / "storm.json",
                seconds=seconds,
                connections=scale.connections,
                rate=rate,
            ).finish()
            wait_until_stored(installation, stored_before + devices)
        used = used_between(before, usage(installation.processes()))
        registered = installation.query(
            "SELECT count() FROM enrolments WHERE state = 'registered' AND startsWith(device_id, {prefix:String})",
            prefix=PREFIX,
        )
        beaten = installation.query(
            "SELECT count() FROM device_status WHERE startsWith(device_id, {prefix:String}) AND version != ''",
            prefix=PREFIX,
        )
        return Storm(
            installation.chosen,
            int(str(registered[0][0])),
            int(str(beaten[0][0])),
            outcome,
            check(installation, positions, since_ms),
            {stage: used.get(stage, 0.0) for stage in STAGES} | {GENERATOR: outcome.processor_s},
            watch.peak_mib(),
        )


def _figure(storms: list[Storm], name: str, unit: str, of: Callable[[Storm], float]) -> Figure:
    return Figure(name, unit, tuple(float(of(storm)) for storm in storms))


def _refused(storm: Storm) -> int:
    return storm.outcome.answered - storm.outcome.accepted - storm.outcome.statuses.get("201", 0)
