"""Children are started, watched, started again and stopped, and none is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local.child import Program
from local.errors import LocalError
from local.supervisor import Supervisor
from tests.local.programs import IGNORES_SIGTERM, STAYS, python_program


class Watch:
    """A supervisor whose lines are kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.supervisor = Supervisor(self.lines.append)

    def check_until(self, done: Callable[[], bool], within_s: float = 20.0) -> None:
        """Look after the children until something came true."""
        deadline = time.monotonic() + within_s
        while not done():
            assert time.monotonic() < deadline, self.lines
            self.supervisor.check()
            time.sleep(0.02)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """A supervisor that is stopped after the test."""
    watch = Watch()
    yield watch
    watch.supervisor.stop()


def writes_pid(folder: Path, name: str, then: str = STAYS) -> Program:
    """A program that appends its pid to NAME.pid and is ready once it has."""
    pids = folder / f"{name}.pid"
    return python_program(
        folder, name, f"import os\nopen({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\n{then}", pids.exists
    )


def pids_of(folder: Path, name: str) -> list[int]:
    """Every process the program has been, oldest first."""
    return [int(line) for line in (folder / f"{name}.pid").read_text().split()]


def test_start_returns_when_all_of_a_stage_are_ready(watch: Watch, tmp_path: Path) -> None:
    """What comes next may use them at once."""
    watch.supervisor.start([writes_pid(tmp_path, "first"), writes_pid(tmp_path, "second")])
    assert all(psutil.pid_exists(pids_of(tmp_path, name)[0]) for name in ("first", "second"))


def test_a_child_that_died_is_started_again_and_that_is_said(watch: Watch, tmp_path: Path) -> None:
    """The line says how it died; another says that it is back."""
    watch.supervisor.start([writes_pid(tmp_path, "worker")])
    os.kill(pids_of(tmp_path, "worker")[0], signal.SIGKILL)
    watch.check_until(lambda: len(pids_of(tmp_path, "worker")) == 2)
    watch.check_until(lambda: "worker is ready again" in watch.lines[-1])
    assert any(line.startswith("worker died (killed by SIGKILL") for line in watch.lines)


def test_a_child_that_keeps_dying_is_given_up_with_its_last_words(watch: Watch, tmp_path: Path) -> None:
    """The message has the reason, the log and the setting nearest to it."""
    broken = python_program(tmp_path, "broken", "import sys; sys.exit('cannot bind')", lambda: False)
    broken = broken._replace(hint="MUSTER_BROKEN_PORT")
    with pytest.raises(LocalError, match=r"broken died 5 times .*exit status 1: cannot bind.*MUSTER_BROKEN_PORT"):
        watch.supervisor.start([broken])
    assert "cannot bind" in (tmp_path / "broken.log").read_text()


def test_a_child_that_asks_for_another_setting_is_not_started_again(watch: Watch, tmp_path: Path) -> None:
    """It would say the same once more; what it said is the message."""
    code = "import sys; print('MUSTER_X: there is no such file', flush=True); sys.exit(2)"
    with pytest.raises(LocalError, match=r"^choosy was not started: MUSTER_X: there is no such file$"):
        watch.supervisor.start([python_program(tmp_path, "choosy", code, lambda: False)])
    assert (tmp_path / "choosy.log").read_text().count("MUSTER_X") == 1


def test_a_child_that_is_never_ready_is_given_up(watch: Watch, tmp_path: Path) -> None:
    """Silence has an end."""
    silent = python_program(tmp_path, "silent", STAYS, lambda: False)._replace(ready_within_s=0.3)
    with pytest.raises(LocalError, match="silent was not ready within"):
        watch.supervisor.start([silent])


def test_stages_stop_in_reverse_order(watch: Watch, tmp_path: Path) -> None:
    """Who writes stops before what is written to."""
    order = tmp_path / "order"
    says_goodbye = (
        "import signal, sys, time\n"
        "def stop(*_):\n"
        "    open({order!r}, 'a').write('{name} ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "open({order!r} + '-{name}', 'w').close()\n"
        "time.sleep(120)"
    )
    for name in ("store", "worker", "api"):
        code = says_goodbye.format(order=str(order), name=name)
        watch.supervisor.start([python_program(tmp_path, name, code, Path(f"{order}-{name}").exists)])
    watch.supervisor.stop()
    assert order.read_text().split() == ["api", "worker", "store"]


def test_what_ignores_sigterm_is_killed_in_time(watch: Watch, tmp_path: Path) -> None:
    """Three deaf stages do not take more than all of them together may."""
    for name in ("one", "two", "three"):
        watch.supervisor.start([writes_pid(tmp_path, name, IGNORES_SIGTERM)])
        watch.check_until(lambda name=name: "up" in (tmp_path / f"{name}.log").read_text())  # type: ignore[misc]
    began = time.monotonic()
    watch.supervisor.stop(within_s=3.0)
    assert time.monotonic() - began < 3.5
    assert not any(psutil.pid_exists(pids_of(tmp_path, name)[0]) for name in ("one", "two", "three"))
    assert "three did not stop in time and is killed" in watch.lines


SUPERVISES = """
import sys
from pathlib import Path
from local.supervisor import Supervisor
from tests.local.test_supervisor import writes_pid
from tests.local.programs import IGNORES_SIGTERM
folder = Path(sys.argv[1])
supervisor = Supervisor(print)
supervisor.start([writes_pid(folder, "deaf", IGNORES_SIGTERM), writes_pid(folder, "plain")])
print("started", flush=True)
supervisor.watch()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_no_child_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    """Not even one that ignores SIGTERM, and without a word from the supervisor."""
    project = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISES, str(tmp_path)], cwd=project, stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        assert any("started" in line for line in supervisor.stdout)
        pids = pids_of(tmp_path, "deaf") + pids_of(tmp_path, "plain")
        supervisor.kill()
    deadline = time.monotonic() + 5
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_program_in_the_background_stands_back_for_the_others(watch: Watch, tmp_path: Path) -> None:
    """By the niceness it asks for; the others keep the supervisor's own."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    for name, niceness in (("served", 0), ("background", 3)):
        watch.supervisor.start([writes_pid(tmp_path, name)._replace(niceness=niceness)])
        pid = int((tmp_path / f"{name}.pid").read_text().split()[0])
        assert os.getpriority(os.PRIO_PROCESS, pid) == own + niceness
