"""The load generator for calls over TLS: a Go program set up as the Edge API's client is (wrk shows no certificate)."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final, Literal

import msgspec

from benchmarks.errors import BenchmarkError
from benchmarks.parts.certificates import Certificates

_SOURCE: Final = Path(__file__).parent / "edge_api"
_BUILT_WITHIN_S: Final = 300.0

Mode = Literal["new", "kept", "bare", "cached"]
"""What a caller does with its connections; see the program."""


class TlsOutcome(msgspec.Struct, frozen=True):
    """What the program saw; latencies in ms. `processor_s` is what it used itself."""

    duration_s: float
    statuses: dict[str, int]
    errors: int
    handshakes: int
    resumed: int
    latency_ms: dict[str, float]
    processor_s: float = 0.0

    @property
    def answered(self) -> int:
        """Answers of any status."""
        return sum(self.statuses.values())

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return self.answered / self.duration_s


def build_edge_api(folder: Path) -> Path:
    """The program. Raises BenchmarkError where Go is missing or cannot build it."""
    if shutil.which("go") is None:
        raise BenchmarkError("Go is not installed (golang on Debian, Fedora): this load is made by a Go program")
    program = folder / "edge-api"
    environ = {**os.environ, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    argv = ["go", "build", "-o", str(program), "."]
    built = subprocess.run(
        argv, cwd=_SOURCE, env=environ, capture_output=True, text=True, timeout=_BUILT_WITHIN_S, check=False
    )
    if built.returncode:
        raise BenchmarkError(f"Go cannot build {_SOURCE}:\n{built.stderr[-2000:]}")
    return program


def read_over_tls(
    program: Path, url: str, certificates: Certificates, mode: Mode, *, callers: int, seconds: float
) -> TlsOutcome:
    """One load, as fast as answers come. Raises BenchmarkError when the program failed."""
    argv = [str(program), f"-url={url}", f"-ca={certificates.ca}", f"-mode={mode}", f"-callers={callers}"]
    argv += [f"-certificate={certificates.host.certificate}", f"-key={certificates.host.key}"]
    argv += [f"-duration={seconds}s"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE)
    assert process.stdout is not None  # noqa: S101 - asked for above
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise BenchmarkError(f"{program.name} ended with status {process.returncode}")
    outcome = msgspec.json.decode(output, type=TlsOutcome)
    return msgspec.structs.replace(outcome, processor_s=used.ru_utime + used.ru_stime)
