"""The load generator: wrk, a compiled one, with a Lua script of ours that makes each request.

What it takes of the machine's processors is measured with everything else. Its latencies are corrected for requests
that a slow answer kept from being sent (wrk does so by itself), so they are rather too high than too low.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from benchmarks.errors import BenchmarkError

_FOLDER: Final = Path(__file__).parent
_MISSING: Final = (
    "the load generator wrk is not installed: `apt-get install wrk` (Debian, Ubuntu), `dnf install wrk` (Fedora),"
    " `brew install wrk` (macOS)"
)
_GRACE_S: Final = 20.0
_LOOK_S: Final = 0.05


class Script(NamedTuple):
    """A Lua script beside this file and the environment it reads.

    `drain_s`: how long wrk goes on after the script has sent its last, so that everything sent is answered.
    """

    name: str
    environ: Mapping[str, str]
    drain_s: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """What wrk saw. Latencies by name (`p50`, `p99`, `max`, `mean`) in ms; `late`: sent 100 ms late or more.

    Where it only counted, the status 999 stands for all from 400.
    """

    duration_s: float
    received_bytes: int
    latency_ms: dict[str, float]
    statuses: dict[str, int]
    sent: int
    late: int
    without_position: int
    without_retry_after: int
    connect_errors: int
    read_errors: int
    write_errors: int
    timeout_errors: int
    processor_s: float = 0.0

    @property
    def accepted(self) -> int:
        """Answers of 200."""
        return self.statuses.get("200", 0)

    @property
    def answered(self) -> int:
        """Answers of any status."""
        return sum(self.statuses.values())

    @property
    def accepted_per_s(self) -> float:
        """The rate of 200s."""
        return self.accepted / self.duration_s

    @property
    def told_statuses(self) -> str:
        """How often which was answered, such as `200: 1,204, 503: 7`."""
        return ", ".join(f"{status}: {count:,}" for status, count in sorted(self.statuses.items()))

    @property
    def broken(self) -> int:
        """Calls that got no answer in time, or lost their connection."""
        return self.connect_errors + self.read_errors + self.write_errors + self.timeout_errors


def require_wrk() -> str:
    """Where wrk is. Raises BenchmarkError that tells how to install it."""
    found = shutil.which("wrk")
    if found is None:
        raise BenchmarkError(_MISSING)
    return found


class Load:
    """One run of wrk. `rate` is calls per second in an open loop; 0 is a closed loop: as fast as answers come."""

    def __init__(
        self,
        address: str,
        script: Script,
        outcome: Path,
        *,
        seconds: float,
        connections: int,
        rate: float = 0,
        threads: int = 1,
    ) -> None:
        self._seconds = seconds
        self._outcome = outcome
        self._output = outcome.with_suffix(".log")
        environ = {
            **os.environ,
            **script.environ,
            "BENCH_FOLDER": str(_FOLDER),
            "BENCH_OUTCOME": str(outcome),
            "BENCH_RATE": str(rate),
            "BENCH_SECONDS": str(seconds),
            "BENCH_THREADS": str(threads),
        }
        outcome.unlink(missing_ok=True)
        arguments = [
            require_wrk(),
            f"--threads={threads}",
            f"--connections={connections}",
            f"--duration={max(1, round(seconds)) + script.drain_s}s",
            "--timeout=5s",
            f"--script={_FOLDER / script.name}",
            address,
        ]
        self._processor_s: float | None = None
        self._began_s = time.monotonic()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(arguments, env=environ, stdout=output, stderr=subprocess.STDOUT)

    @property
    def pid(self) -> int:
        """Of wrk."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it still sends."""
        if self._processor_s is None:
            pid, _, used = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                self._processor_s = used.ru_utime + used.ru_stime
        return self._processor_s is None

    def wait_while_sending(self) -> None:
        """Until its time is over; what it sent last may not be answered yet."""
        while self.is_running and time.monotonic() < self._began_s + self._seconds:
            time.sleep(_LOOK_S)

    def finish(self) -> Outcome:
        """Wait for its end. Raises BenchmarkError when it failed."""
        ends_at = time.monotonic() + self._seconds + _GRACE_S
        while self.is_running:
            if time.monotonic() > ends_at:
                os.kill(self._process.pid, signal.SIGKILL)
            time.sleep(_LOOK_S)
        self._process.returncode = 0  # collected above, for what it used
        if not self._outcome.exists():
            raise BenchmarkError(f"wrk failed:\n{self._output.read_text()[-2000:]}")
        outcome = msgspec.json.decode(self._outcome.read_bytes(), type=Outcome)
        return msgspec.structs.replace(outcome, processor_s=self._processor_s or 0.0)


def wrk_version() -> str:
    """As wrk tells it."""
    told = subprocess.run([require_wrk(), "-v"], capture_output=True, text=True, timeout=10, check=False).stdout
    return " ".join(told.split()[:2])
