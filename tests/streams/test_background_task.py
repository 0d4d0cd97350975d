"""A background task ends when it is stopped, and says so when it ends before."""

import asyncio

from structlog.testing import capture_logs

from streams.background_task import BackgroundTask


async def test_it_runs_until_it_is_stopped() -> None:
    """Stopping waits for its end, its own cleaning up included."""
    seen: list[str] = []

    async def running() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            seen.append("ended")

    task = BackgroundTask("example")
    task.start(running())
    await asyncio.sleep(0)
    assert task.is_started
    await task.stop()
    assert seen == ["ended"]


async def test_its_death_is_told_when_it_happens_and_does_not_break_the_stop() -> None:
    """A task that fails is logged with its error at once."""

    async def failing() -> None:
        raise RuntimeError("out of luck")

    task = BackgroundTask("example")
    with capture_logs() as logs:
        task.start(failing())
        await asyncio.sleep(0.01)
    assert [(line["event"], line["task"]) for line in logs] == [("background task ended", "example")]
    await task.stop()


async def test_one_that_never_began_stops_at_once() -> None:
    """A process that failed early can stop all its parts."""
    await BackgroundTask("example").stop()
