"""`python -m tests.streams.commands.command_worker_child STEP SIGNAL`: the deciding worker, with a fault at a step.

The first time it gets there it sends itself the signal: SIGKILL to die, SIGSTOP to stand still until SIGCONT.
"""

import asyncio
import os
import signal
import sys

from settings import load
from settings.logs import configure_logs
from streams.commands.processor import Step
from streams.commands.worker import run_commands


def main(faulty_step: str, signal_name: str) -> int:
    """Run it; the step `never` is none."""
    faults = [signal.Signals[signal_name]]

    def reached(step: Step) -> None:
        if step == faulty_step and faults:
            os.kill(os.getpid(), faults.pop())

    configure_logs("commands")
    status = asyncio.run(run_commands(load(os.environ), reached))
    os._exit(status)  # as python -m streams does


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
