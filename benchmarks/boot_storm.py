"""A whole fleet that starts for the first time at once: enrols, registers with all its hardware, beats."""

import time
from typing import Final

import msgspec

from benchmarks.benchmark import Findings, Say
from benchmarks.fleet_content import NAMESPACE
from benchmarks.ledger import check, stored_rows, wait_until_stored
from benchmarks.load.boot_storm_load import CALLS, PREFIX, boot_storm_script
from benchmarks.load.wrk import Load
from benchmarks.measuring.processor_time import usage, used_between
from benchmarks.measuring.watch import Watch
from benchmarks.parts.beating_fleet import registered_fleet
from benchmarks.parts.installation import STAGES
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


def measure(workplace: Workplace, say: Say) -> Findings:
    """Send the calls of `devices` in an open loop within a minute, and look who is registered and has beaten."""
    scale = workplace.scale
    devices = min(scale.devices, _AT_MOST)
    standing = msgspec.structs.replace(scale, devices=_STANDING)
    seconds = _SHORT_S if workplace.is_quick else _WITHIN_S
    settings = {"DEVICES_AUTO_APPROVE": "true"}
    with registered_fleet(workplace, standing, say, settings) as installation:
        positions = installation.folder / "positions-storm"
        sending_s = seconds - _GAP_S * len(CALLS)
        rate = devices * len(CALLS) / sending_s
        gap = max(1, int(devices * _GAP_S / sending_s))
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
        verdict = check(installation, positions, since_ms)
        registered = _count(
            installation.query(
                "SELECT count() FROM enrolments WHERE state = 'registered' AND startsWith(device_id, {prefix:String})",
                prefix=PREFIX,
            )
        )
        beaten = _count(
            installation.query(
                "SELECT count() FROM device_status WHERE startsWith(device_id, {prefix:String}) AND version != ''",
                prefix=PREFIX,
            )
        )
        statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(outcome.statuses.items()))
        say(f"{devices:,} devices: {registered:,} registered, {beaten:,} have beaten; {statuses}")
        return Findings(
            installation.chosen,
            (
                Check("each is registered", registered == devices, f"{registered:,} of {devices:,}"),
                Check("each has beaten", beaten == devices, f"{beaten:,} of {devices:,}"),
                Check("each acknowledged heartbeat is stored exactly once", verdict.is_clean, str(verdict)),
            ),
            (
                Figure("devices", "", (float(devices),), "those of the conversation, within a minute"),
                Figure("registered and beaten", "", (float(min(registered, beaten)),)),
                Figure("calls offered", "1/s", (rate,)),
                Figure("calls answered", "1/s", (outcome.answered / outcome.duration_s,)),
                Figure(
                    "not 200 or 201",
                    "calls",
                    (float(outcome.answered - outcome.accepted - outcome.statuses.get("201", 0)),),
                ),
                Figure("any answer, p50", "ms", (outcome.latency_ms["p50"],)),
                Figure("any answer, p99", "ms", (outcome.latency_ms["p99"],)),
                *(
                    Figure(f"processor, {stage}", "ms/device", (used.get(stage, 0.0) / devices * 1000,))
                    for stage in STAGES
                ),
                Figure("processor, load generator", "ms/device", (outcome.processor_s / devices * 1000,)),
                *(Figure(f"memory, {stage}", "MiB", (watch.peak_mib().get(stage, 0.0),)) for stage in STAGES),
            ),
            notes=(
                (
                    f"Each device: {', '.join(CALLS)}, {_GAP_S:g} s apart; enrolled in {NAMESPACE},"
                    " approved by the setting."
                ),
                f"Answers: {statuses}.",
            ),
        )


def _count(rows: list[tuple[object, ...]]) -> int:
    return int(str(rows[0][0]))
