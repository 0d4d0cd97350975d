"""Registration and configuration reads of one API process, beside a bare application that answers with a constant."""

import json
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import psutil

from benchmarks.benchmark import Findings, Say
from benchmarks.fleet_content import NAMESPACE, device_id
from benchmarks.load.poll_load import poll_script
from benchmarks.load.request_heads import BASE_PATH
from benchmarks.load.wrk import Load, Outcome
from benchmarks.measuring.processor_time import usage, used_between
from benchmarks.parts.beating_fleet import registered_fleet
from benchmarks.parts.installation import Installation
from benchmarks.peers.peer import Peer
from benchmarks.report.result import Check, Figure
from benchmarks.scale import Workplace
from local.free_ports import free_ports

QUESTION: Final = "how many reads a second does one API process answer, and how near is that to answering a constant?"

_CALLS: Final = ("registration", "configuration")
_OF_THE_SERVER: Final = frozenset({"date", "connection"})
"""Headers that whoever answers adds by itself."""

_WARM_S: Final = 2.0
_LONGEST_S: Final = 15.0
_PORTION_S: Final = 5.0
_WARM_SHARE: Final = 0.99


class Reading(NamedTuple):
    """One load of reads and the server's processor seconds."""

    outcome: Outcome
    processor_s: float

    @property
    def per_call_us(self) -> float:
        """Microseconds of the server's processor time for each answer."""
        return self.processor_s / max(1, self.outcome.answered) * 1e6


class _Readings(NamedTuple):
    """Alternating measurements of Muster and of the constant."""

    name: str
    muster: list[Reading]
    constant: list[Reading]


def measure(workplace: Workplace, say: Say) -> Findings:
    """Each call with kept and with new connections, Muster and the constant in turn; then a restart."""
    scale = msgspec.structs.replace(workplace.scale, api_processes=1)
    all_readings: list[_Readings] = []
    with registered_fleet(workplace, scale, say) as installation:
        restart_figures = _restart(installation, workplace, say)
        for call in _CALLS:
            answer = _capture(installation, call)
            for closes in (False, True):
                readings = _Readings(f"{call}, {'new' if closes else 'kept'} connections", [], [])
                _alternate(installation, workplace, call, answer, readings, closes_connections=closes)
                say(_told(readings))
                all_readings.append(readings)
        settings = installation.chosen
    figures = [figure for readings in all_readings for figure in _figures(readings)]
    return Findings(settings, _checks(all_readings), (*figures, *restart_figures))


def _alternate(
    installation: Installation,
    workplace: Workplace,
    call: str,
    answer: Path,
    readings: _Readings,
    *,
    closes_connections: bool,
) -> None:
    scale, folder = workplace.scale, installation.folder
    script = poll_script(folder, [call], devices=scale.devices, closes_connections=closes_connections)
    (port,) = free_ports(1)
    argv = [sys.executable, "-m", "benchmarks.peers.constant_answers", f"--port={port}", f"--answer={answer}"]

    def read(address: str, processes: Sequence[psutil.Process], seconds: float) -> Reading:
        members = {"server": list(processes)}
        before = usage(members)
        outcome = Load(address, script, folder / "reads.json", seconds=seconds, connections=scale.connections).finish()
        return Reading(outcome, used_between(before, usage(members))["server"])

    with Peer(argv, port, folder / "constant.log") as peer:
        servers = installation.processes()["api"]
        read(installation.address, servers, _WARM_S)
        read(peer.address, peer.processes(), _WARM_S)
        for _ in range(scale.repeats):
            readings.muster.append(read(installation.address, servers, scale.at_most(_LONGEST_S)))
            readings.constant.append(read(peer.address, peer.processes(), scale.at_most(_LONGEST_S)))


def _capture(installation: Installation, call: str) -> Path:
    """What the API answers to one device, for the peer to give."""
    path = f"{BASE_PATH}/namespaces/{NAMESPACE}/devices/{device_id(0)}/{call}"
    with urllib.request.urlopen(f"{installation.address}{path}", timeout=5) as answer:  # noqa: S310 - ours
        body = answer.read().decode()
        headers = [[name.lower(), value] for name, value in answer.getheaders() if name.lower() not in _OF_THE_SERVER]
    file = installation.folder / f"{call}.answer.json"
    file.write_text(json.dumps({"headers": headers, "body": body}))
    return file


def _restart(installation: Installation, workplace: Workplace, say: Say) -> tuple[Figure, ...]:
    """Time to ready with the whole fleet, and until 99 % of the devices have been given their configuration once."""
    scale = workplace.scale
    installation.restart()
    ready_s = installation.ready_after_s
    began_s, answered = time.monotonic(), 0
    first = last = 0.0
    portion_s = scale.at_most(_PORTION_S)
    while answered < scale.devices * _WARM_SHARE:
        outcome = Load(
            installation.address,
            poll_script(installation.folder, ["configuration"], devices=scale.devices, polled_before=answered),
            installation.folder / "restart.json",
            seconds=portion_s,
            connections=scale.connections,
        ).finish()
        first = first or outcome.accepted_per_s
        last = outcome.accepted_per_s
        answered += outcome.accepted
        if not outcome.accepted:
            break
    warm_s = time.monotonic() - began_s
    say(f"restart: ready after {ready_s:.1f} s, {answered:,} configurations in {warm_s:.1f} s ({first:,.0f}/s first)")
    return (
        Figure("restart, ready after", "s", (ready_s,)),
        Figure("restart, then 99 % of the devices' configurations assembled after", "s", (warm_s,)),
        Figure("configuration, first read of each device", "reads/s", (first,)),
        Figure("configuration, last portion of those", "reads/s", (last,)),
    )


def _figures(readings: _Readings) -> tuple[Figure, ...]:
    name = readings.name
    ratios = [
        mine.outcome.accepted_per_s / theirs.outcome.accepted_per_s
        for mine, theirs in zip(readings.muster, readings.constant, strict=True)
    ]
    return (
        Figure(name, "reads/s", tuple(reading.outcome.accepted_per_s for reading in readings.muster)),
        Figure(f"{name}, of the constant's rate", "", tuple(ratios), "0.8"),
        Figure(f"{name}, p99", "ms", tuple(reading.outcome.latency_ms["p99"] for reading in readings.muster)),
        Figure(f"{name}, processor", "µs/read", tuple(reading.per_call_us for reading in readings.muster)),
        Figure(f"{name}, constant", "reads/s", tuple(reading.outcome.accepted_per_s for reading in readings.constant)),
        Figure(f"{name}, constant, processor", "µs/read", tuple(reading.per_call_us for reading in readings.constant)),
        Figure(
            f"{name}, load generator",
            "µs/read",
            tuple(each.outcome.processor_s / max(1, each.outcome.answered) * 1e6 for each in readings.muster),
        ),
    )


def _checks(all_readings: Sequence[_Readings]) -> tuple[Check, ...]:
    outcomes = [reading.outcome for readings in all_readings for reading in readings.muster]
    statuses = {status for outcome in outcomes for status in outcome.statuses}
    broken = sum(outcome.broken for outcome in outcomes)
    told = f"{', '.join(sorted(statuses))}; {broken:,} without an answer"
    return (Check("every read is answered with 200", statuses == {"200"} and not broken, told),)


def _told(readings: _Readings) -> str:
    mine, theirs = readings.muster[-1], readings.constant[-1]
    return (
        f"{readings.name}: {mine.outcome.accepted_per_s:,.0f}/s at {mine.per_call_us:.0f} µs,"
        f" the constant {theirs.outcome.accepted_per_s:,.0f}/s at {theirs.per_call_us:.0f} µs"
    )
