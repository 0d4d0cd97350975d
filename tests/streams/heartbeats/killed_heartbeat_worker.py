"""The heartbeat worker, which dies without a word when a batch got past a table while FILE is there: `TABLE FILE`."""

import asyncio
import os
import sys
from pathlib import Path

from settings import load
from streams.heartbeats.worker import run_heartbeats

KILLED = 77


def main(fatal: str, sign: Path) -> None:
    """Run it."""

    def reached(table: str) -> None:
        if table == fatal and sign.exists():
            os._exit(KILLED)

    asyncio.run(run_heartbeats(load(os.environ), reached))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
