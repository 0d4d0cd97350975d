"""The capacity model on results made up for it."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from benchmarks.capacity import measure
from benchmarks.errors import BenchmarkError
from benchmarks.parts.installation import STAGES
from benchmarks.report.files import write
from benchmarks.report.result import Figure, Result
from benchmarks.scale import QUICK, Workplace

_STAGES_US = {"api": 40.0, "broker": 5.0, "heartbeat worker": 20.0, "command worker": 0.0, "clickhouse": 15.0}


def test_the_model_gives_the_measured_points_before_it_reckons(tmp_path: Path) -> None:
    """Costs of 100 µs give two cores 20,000 heartbeats a second; a million devices then need so many processes."""
    _write_results(tmp_path, held=19_000.0)
    findings = measure(Workplace(tmp_path, QUICK, is_quick=True, results=tmp_path), lambda _: None)
    assert all(check.is_good for check in findings.checks), findings.checks
    figures = {figure.name: figure.median for figure in findings.figures}
    assert figures["highest rate of the measured machine, model"] == pytest.approx(20_000)
    # 16,667 heartbeats of 40 µs and 416,667 reads of 30, each on a connection of its own for 20 more: 21.8 cores busy.
    assert figures["1M devices: API processes, a core each"] == 37
    assert figures["1M devices: heartbeat workers, a core each"] == 1
    assert figures["10M devices: heartbeats"] == pytest.approx(166_667, rel=1e-3)


def test_a_model_that_does_not_give_the_measured_points_is_wrong(tmp_path: Path) -> None:
    """Half of what the costs promise is no confirmation."""
    _write_results(tmp_path, held=10_000.0)
    findings = measure(Workplace(tmp_path, QUICK, is_quick=True, results=tmp_path), lambda _: None)
    assert not findings.checks[0].is_good


def test_a_rate_that_was_asked_for_is_not_taken_for_the_highest(tmp_path: Path) -> None:
    """A later result that held what it was told to says nothing of what could have been held."""
    _write_results(tmp_path, held=19_000.0)
    asked = msgspec.structs.replace(
        _result("heartbeats", {"accepted": 5_000.0}), began_at=datetime(2026, 1, 2, tzinfo=UTC), scale={"rate": 5_000}
    )
    write(asked, tmp_path)
    findings = measure(Workplace(tmp_path, QUICK, is_quick=True, results=tmp_path), lambda _: None)
    assert all(check.is_good for check in findings.checks), findings.checks


def test_what_was_accepted_of_more_than_could_be_is_the_highest(tmp_path: Path) -> None:
    """Here it is less than the costs promise, which the model does not hide."""
    _write_results(tmp_path, held=19_000.0)
    too_much = msgspec.structs.replace(
        _result("heartbeats", {"accepted": 10_000.0}),
        began_at=datetime(2026, 1, 2, tzinfo=UTC),
        scale={"rate": 12_000, "api_processes": 2},
    )
    write(too_much, tmp_path)
    findings = measure(Workplace(tmp_path, QUICK, is_quick=True, results=tmp_path), lambda _: None)
    assert not findings.checks[0].is_good


def test_a_missing_result_is_named(tmp_path: Path) -> None:
    """Whoever reckons without having measured is told what to run."""
    with pytest.raises(BenchmarkError, match="python -m benchmarks cost"):
        measure(Workplace(tmp_path, QUICK, is_quick=True, results=tmp_path), lambda _: None)


def _write_results(folder: Path, held: float) -> None:
    of = "1,000 devices"
    # Of ClickHouse's 0.3 cores at 20,000 a second 0.2 are there as soon as any heartbeat comes.
    trickle = {f"{of}: {stage}, 100 heartbeats/s": 0.0 for stage in (*_STAGES_US, "load generator")}
    trickle[f"{of}: clickhouse, 100 heartbeats/s"] = 0.2
    cost = (
        trickle
        | {f"{of}: {stage}": us for stage, us in _STAGES_US.items()}
        | {
            f"{of}: accepted": 20_000.0,
            f"{of}: load generator": 20.0,
            f"{of}: memory, api": 100.0,
            f"{of}: disk, any heartbeat": 20.0,
            f"{of}: disk, a device's state": 100.0,
            f"{of}: disk, a device's decisions": 300.0,
        }
    )
    reads = {
        "configuration, kept connections, processor": 30.0,
        "configuration, new connections, processor": 50.0,
    }
    # 0.2 cores in any case, 500 heartbeats a second of 70 µs more, and 12,500 reads of 30.
    conversation = {"heartbeats": 500.0, "reads": 12_500.0} | {f"processor, {stage}": 0.0 for stage in STAGES}
    conversation["processor, api"] = 0.61
    results = {"cost": cost, "heartbeats": {"accepted": held}, "reads": reads, "conversation": conversation}
    for name, figures in results.items():
        write(_result(name, figures), folder)


def _result(name: str, figures: dict[str, float]) -> Result:
    return Result(
        name=name,
        question="?",
        began_at=datetime(2026, 1, 1, tzinfo=UTC),
        took_s=1.0,
        machine={"cores": "2"},
        versions={},
        seed=1,
        scale={"api_processes": 2},
        settings={},
        checks=(),
        figures=tuple(Figure(title, "", (value,)) for title, value in figures.items()),
    )
