"""The smallest benchmark with everything that the large ones are made of."""

import shutil
from pathlib import Path

import msgspec
import pytest

from benchmarks.report.files import newest, write
from benchmarks.running import run_benchmark
from benchmarks.scale import QUICK, Workplace


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk, the load generator, is not installed: apt-get install wrk")
def test_a_benchmark_finds_what_was_acknowledged_and_writes_it_down(tmp_path: Path) -> None:
    """A fleet is stored and beats; each heartbeat is found once; the result is a page, and read back the same."""
    scale = msgspec.structs.replace(QUICK, devices=200, seconds=1)
    told: list[str] = []
    result = run_benchmark("heartbeats", Workplace(tmp_path / "work", scale, is_quick=True), told.append)
    assert result.is_right, result.checks
    assert result.figure("accepted").median > 0
    assert result.figure("processor, api").median > 0
    page = write(result, tmp_path / "results")
    assert "# heartbeats" in page.read_text()
    assert newest("heartbeats", tmp_path / "results") == result
