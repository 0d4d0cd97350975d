"""One child process: started in a process group of its own, tied to this process's life, its output in a bounded log.

Start it from the main thread: on Linux a child ends with the thread that started it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from local.child_output import ChildOutput
from local.errors import LocalError
from local.last_words import last_words

_TETHER: Final = Path(__file__).with_name("tether.py")
_POLL_S: Final = 0.05

REFUSED: Final = 2
"""Exit status of ours that says: a setting must change, so starting it again is of no use."""

_FROM_OUTSIDE: Final = {
    -signal.SIGKILL: "killed by SIGKILL, by someone or for want of memory",
    -signal.SIGTERM: "ended by someone's SIGTERM",
}
"""Ends of which a child's own words tell nothing."""


def at_once() -> bool:
    """For programs that nobody waits for."""
    return True


class Program(NamedTuple):
    """How to run something and when it is ready.

    `argv[0]` is an absolute path. `is_ready` is asked repeatedly, must answer within a second or so and not raise.
    `stop_within_s` is how long it may take after SIGTERM before it is killed. `hint` names the setting that helps most
    when it does not start. `niceness` (0 to 19) is how far it stands back for others on a busy machine.
    """

    name: str
    argv: list[str]
    env: Mapping[str, str]
    log: Path
    is_ready: Callable[[], bool]
    ready_within_s: float = 60.0
    stop_within_s: float = 3.0
    hint: str = ""
    niceness: int = 0


class Child:
    """A running `Program`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), str(program.niceness), *program.argv],
            env=dict(program.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        self._output = ChildOutput(self._process.stdout, program.log)

    @property
    def pid(self) -> int:
        """Its process id, which is also its process group's."""
        return self._process.pid

    def exit_status(self) -> int | None:
        """None while it runs; negative when a signal ended it. Collects the dead process."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send SIGTERM, if it still runs."""
        self._process.terminate()

    def wait(self, within_s: float) -> bool:
        """Whether it ended within that time."""
        try:
            self._process.wait(max(within_s, 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it and what it started, at once."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self, within_s: float) -> None:
        """Ask it to stop, and kill it if it does not."""
        self.ask_to_stop()
        if not self.wait(within_s):
            self.kill()

    def ending(self) -> str:
        """How it ended, for a person: the exit status or signal, and its last words."""
        status = self._process.returncode
        if status in _FROM_OUTSIDE:
            return _FROM_OUTSIDE[status]
        how = f"killed by {signal.Signals(-status).name}" if status and status < 0 else f"exit status {status}"
        words = self.last_words()
        return f"{how}: {words}" if words else how

    def last_words(self) -> str:
        """Why it ended, as far as it said so."""
        self._output.finish(within_s=1.0)
        return last_words(self._output.last_lines())


def start_and_wait(program: Program) -> Child:
    """A child that is ready. Raises LocalError with its last words when it ends or stays silent."""
    child = Child(program)
    deadline = time.monotonic() + program.ready_within_s
    while not program.is_ready():
        if child.exit_status() is not None:
            raise LocalError(f"{program.name} did not start: {child.ending()}; its log is {program.log}")
        if time.monotonic() > deadline:
            child.kill()
            raise LocalError(
                f"{program.name} is not ready after {program.ready_within_s:.0f} s; its log: {program.log}"
            )
        time.sleep(_POLL_S)
    return child
