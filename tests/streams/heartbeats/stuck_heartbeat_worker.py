"""The heartbeat worker, which gets stuck for ever once its first batch got past the first table."""

import asyncio
import os
import time

from settings import load
from streams.__main__ import ending
from streams.heartbeats.worker import run_heartbeats


def _reached(_table: str) -> None:
    time.sleep(3600)


if __name__ == "__main__":
    asyncio.run(ending(run_heartbeats(load(os.environ), _reached)))
