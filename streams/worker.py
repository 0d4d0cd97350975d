"""Runs a worker until it is told to stop, crashes, stalls, or its topics are others: then the process ends.

Whatever ends it, nothing is lost: what was not committed is read again, and what was written is recognised.
"""

import asyncio
import signal
from collections.abc import Awaitable, Sequence
from contextlib import suppress

import faust
import structlog

from fleet.errors import MusterError
from streams.worker_health import PARTITIONS, WorkerHealth

STOP_WITHIN_S = 2.0
"""Time for leaving the group, so that others take over at once; a supervisor waits little longer."""

TOPICS_EVERY_S = 10.0
"""Between looks at the topics' ids: a topic made anew is a rare act of a person."""

_log = structlog.get_logger(__name__)


def stall_check_every_s(stall_exit_s: float) -> float:
    """Between looks at the progress: often enough to be on time, at most every second."""
    return max(1.0, stall_exit_s / 10)


def held_partitions(app: faust.App, topic: str) -> frozenset[int]:
    """The partitions of the topic that the brokers gave this worker."""
    return frozenset(place.partition for place in app.consumer.assignment() if place.topic == topic)


async def run_worker(app: faust.App, watches: Sequence[Awaitable[None]], health: WorkerHealth) -> int:
    """Run the app and its watches until SIGTERM or SIGINT (0) or until one of them fails (1). Gives the exit status.

    `health` is told of the loop's turns and of the partitions.
    """
    _tell_partitions(app, health)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.ensure_future(watch) for watch in (*watches, health.turn())]
    running = asyncio.ensure_future(_run(app))
    stopping = asyncio.ensure_future(stop.wait())
    done, _ = await asyncio.wait([*tasks, running, stopping], return_when=asyncio.FIRST_COMPLETED)
    status = 0 if stopping in done else 1
    for task in done - {stopping}:
        _say_why(task.exception())
    for task in (*tasks, stopping, running):
        task.cancel()
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_WITHIN_S):
            await app.stop()
    _log.info("stopped", status=status)
    return status


def _tell_partitions(app: faust.App, health: WorkerHealth) -> None:
    async def assigned(*_: object, **_options: object) -> None:
        health.has(PARTITIONS)

    async def revoked(*_: object, **_options: object) -> None:
        health.lacks(PARTITIONS)

    app.on_partitions_assigned.connect(assigned, weak=False)
    app.on_partitions_revoked.connect(revoked, weak=False)


async def _run(app: faust.App) -> None:
    """Return never; raise what the app crashed of."""
    await app.start()
    await app.wait_until_stopped()
    raise app.crash_reason or MusterError("Faust stopped by itself")


def _say_why(error: BaseException | None) -> None:
    if isinstance(error, MusterError):
        _log.error("worker ends", reason=str(error))
    else:
        _log.error("worker ends", exc_info=error)
