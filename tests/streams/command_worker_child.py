"""`python -m tests.streams.command_worker_child STEP`: the deciding worker, killed when it first reaches a step."""

import asyncio
import os
import signal
import sys

from settings import load
from settings.logs import configure_logs
from streams.command_processor import Step
from streams.command_worker import run_commands


def main(deadly_step: str) -> int:
    """Run it; `never` lets it live."""

    def reached(step: Step) -> None:
        if step == deadly_step:
            os.kill(os.getpid(), signal.SIGKILL)

    configure_logs("commands")
    status = asyncio.run(run_commands(load(os.environ), reached))
    os._exit(status)  # as python -m streams does


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
