"""`python -m streams heartbeats` or `commands`: one worker between Kafka and ClickHouse, until SIGTERM."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.exceptions import ClickHouseError

from fleet.errors import MusterError
from settings import Settings, SettingsError, load
from settings.logs import configure_logs
from streams.commands.worker import run_commands
from streams.heartbeats.worker import run_heartbeats

WORKERS: Final[dict[str, Callable[[Settings], Awaitable[int]]]] = {
    "heartbeats": run_heartbeats,
    "commands": run_commands,
}


def main(arguments: list[str]) -> int:
    """Run the worker that the arguments name. Gives the exit status; what is wrong at the start is one line."""
    worker = WORKERS.get(arguments[0]) if len(arguments) == 1 else None
    if worker is None:
        sys.stderr.write(f"usage: python -m streams {'|'.join(WORKERS)}\n")
        return 2
    try:
        settings = load(os.environ)
        configure_logs(arguments[0])
        return asyncio.run(ending(worker(settings)))
    except (MusterError, SettingsError, ClickHouseError, KafkaError) as error:
        sys.stderr.write(f"{str(error).partition(chr(10))[0]}\n")
        return 1


async def ending(worker: Awaitable[int]) -> int:
    """End the process with the worker's exit status."""
    status = await worker
    sys.stdout.flush()
    sys.stderr.flush()
    # A thread may wait for ClickHouse for minutes yet. What it does there is done or read again: no need to wait.
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
