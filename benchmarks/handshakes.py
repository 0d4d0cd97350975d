"""What a call over TLS costs, with a connection for nearly every call as the Edge API makes them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from benchmarks.benchmark import Findings, Say
from benchmarks.fleet_content import NAMESPACE, device_id
from benchmarks.load.edge_api_load import Mode, TlsOutcome, build_edge_api, read_over_tls
from benchmarks.load.request_heads import BASE_PATH
from benchmarks.measuring.processor_time import usage, used_between
from benchmarks.parts.beating_fleet import registered_fleet
from benchmarks.parts.certificates import Certificates, KeyKind, make_certificates
from benchmarks.parts.device_listeners import DeviceListener, tls_in_haproxy, tls_in_the_server
from benchmarks.parts.installation import Installation
from benchmarks.report.result import Check, Figure
from benchmarks.scale import Workplace

QUESTION: Final = (
    "what does a call cost when each comes over a TLS connection of its own, in the HTTP server and a proxy?"
)

_DEVICES: Final = 500
"""The fleet's size does not matter to a handshake."""

_CALLERS: Final = 32
_LOAD_S: Final = 5.0

_KINDS: Final[tuple[KeyKind, ...]] = ("ECDSA P-256", "RSA-2048")
_MODES: Final[dict[Mode, str]] = {
    "new": "a connection a call",
    "bare": "as the Edge API, two kept",
    "kept": "kept connections",
}

_Listen = Callable[[Installation, Certificates], AbstractContextManager[DeviceListener]]
_PLACES: Final[dict[str, _Listen]] = {"TLS in the HTTP server": tls_in_the_server, "TLS in HAProxy": tls_in_haproxy}


class _Reading(NamedTuple):
    outcome: TlsOutcome
    processor_s: dict[str, float]

    def per_call_us(self, part: str) -> float:
        """Microseconds of a part's processor time for each answer."""
        return self.processor_s[part] / max(1, self.outcome.answered) * 1e6


class _Readings(NamedTuple):
    name: str
    mode: Mode
    runs: list[_Reading]


def measure(workplace: Workplace, say: Say) -> Findings:
    """Each kind of certificate at each place, in all modes."""
    scale = msgspec.structs.replace(workplace.scale, devices=_DEVICES, api_processes=1)
    seconds = min(scale.seconds, _LOAD_S)
    program = build_edge_api(workplace.folder)
    everything: list[_Readings] = []
    resumed = 0
    with registered_fleet(workplace, scale, say) as installation:
        for kind, (place, listen) in product(_KINDS, _PLACES.items()):
            certificates = make_certificates(installation.folder / f"{kind} {place}", kind)
            with listen(installation, certificates) as listener:
                read = _reader(program, listener, certificates, seconds)
                resumed += read("cached").outcome.resumed
                everything += _alternate(read, f"{kind}, {place}", scale.repeats)
            for readings in everything[-len(_MODES) :]:
                say(_told(readings))
    figures = [figure for readings in everything for figure in _figures(readings)]
    return Findings(
        {"callers": str(_CALLERS), "devices": str(_DEVICES), "api processes": "1"},
        _checks(everything, resumed),
        tuple(figures),
        notes=(_NOTE,),
    )


_NOTE: Final = (
    "Server, proxy and load generator share the processors, so rates are what they leave each other; the processor time"
    " of a call is the steadier figure. The generator is Go's own client, which pays for its side of each handshake."
)


def _reader(
    program: Path, listener: DeviceListener, certificates: Certificates, seconds: float
) -> Callable[[Mode], _Reading]:
    url = f"{listener.address}{BASE_PATH}/namespaces/{NAMESPACE}/devices/{device_id(0)}/registration"

    def read(mode: Mode) -> _Reading:
        before = usage(listener.processes)
        outcome = read_over_tls(program, url, certificates, mode, callers=_CALLERS, seconds=seconds)
        return _Reading(outcome, used_between(before, usage(listener.processes)))

    return read


def _alternate(read: Callable[[Mode], _Reading], name: str, repeats: int) -> list[_Readings]:
    found = [_Readings(f"{name}, {said}", mode, []) for mode, said in _MODES.items()]
    for _ in range(repeats):
        for readings in found:
            readings.runs.append(read(readings.mode))
    return found


def _figures(readings: _Readings) -> list[Figure]:
    name, runs = readings.name, readings.runs
    shares = [run.outcome.handshakes / max(1, run.outcome.answered) for run in runs]
    return [
        Figure(name, "calls/s", tuple(run.outcome.per_s for run in runs)),
        Figure(f"{name}, handshakes", "per call", tuple(shares)),
        *(
            Figure(f"{name}, {part}, processor", "µs/call", tuple(run.per_call_us(part) for run in runs))
            for part in runs[0].processor_s
        ),
        Figure(
            f"{name}, load generator, processor",
            "µs/call",
            tuple(run.outcome.processor_s / max(1, run.outcome.answered) * 1e6 for run in runs),
        ),
        Figure(f"{name}, p99", "ms", tuple(run.outcome.latency_ms.get("p99", 0.0) for run in runs)),
    ]


def _checks(everything: list[_Readings], resumed: int) -> tuple[Check, ...]:
    outcomes = [run.outcome for readings in everything for run in readings.runs]
    statuses = {status for outcome in outcomes for status in outcome.statuses}
    errors = sum(each.errors for each in outcomes)
    new = [run.outcome for readings in everything if readings.mode == "new" for run in readings.runs]
    handshakes, calls = sum(each.handshakes for each in new), sum(each.answered for each in new)
    told = f"{', '.join(sorted(statuses))}; {errors:,} without an answer"
    return (
        Check("every read is answered with 200", statuses == {"200"} and not errors, told),
        Check(
            "a connection a call is a handshake a call",
            handshakes >= calls,
            f"{handshakes:,} handshakes, {calls:,} calls",
        ),
        Check("no session is resumed, even where the client would", resumed == 0, f"{resumed:,} resumed"),
    )


def _told(readings: _Readings) -> str:
    last = readings.runs[-1]
    parts = ", ".join(f"{part} {last.per_call_us(part):.0f} µs" for part in last.processor_s)
    return f"{readings.name}: {last.outcome.per_s:,.0f}/s, {last.outcome.handshakes:,} handshakes, {parts}"
