"""The deciding worker as a process of its own, on real Faust, broker and engine, killed where it hurts."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals

import msgspec
import psutil
import pytest
from clickhouse_connect.driver import Client

from api.desired_state.feed_reader import FeedReader
from api.desired_state.fleet_view import FleetView
from cli.service.setup import set_up
from fleet.decisions.commands import Outcome, PutResource
from fleet.decisions.state import FleetState
from settings import Settings, load
from storage.decisions import load_state, outcomes_between
from streams.commands.processor import Step
from streams.commands.source import CommandRecord
from tests.streams.commands.command_scenario import enrolment, expected_decisions, request, secret, workload
from tests.streams.commands.command_topics import CommandTopics

EPOCH = 1


async def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    """Wait for what another task brings about."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.05)


def show(log: Path) -> None:
    """Print a worker's words, which pytest shows with a failure."""
    print(log.read_text())  # noqa: T201


@asynccontextmanager
async def worker(
    environ: dict[str, str], log: Path, step: str = "never", fault: Signals = SIGKILL
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker that sends itself a signal when it first reaches a step; ended with the context."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.streams.commands.command_worker_child",
            step,
            fault.name,
            env=inherited | environ,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            process.send_signal(SIGCONT)
            await asyncio.wait_for(process.wait(), 10)
        show(log)


@asynccontextmanager
async def successor(environ: dict[str, str], log: Path, process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    """What a supervisor does: another worker as soon as this one has ended by itself."""

    async def succeed() -> None:
        await process.wait()
        async with worker(environ, log):
            await asyncio.Event().wait()

    task = asyncio.create_task(succeed())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def view(settings: Settings, clickhouse: Client, log: CommandTopics) -> AsyncIterator[FleetView]:
    """What an API process knows, from before the first command on."""

    async def load() -> FleetState:
        return await asyncio.to_thread(load_state, clickhouse, "default")

    view = FleetView("default", 60, asyncio.get_running_loop().time)
    topic, limit_bytes = log.names.feed.name, settings.kafka.record_limit_bytes
    reader = FeedReader(log.bootstrap, topic, limit_bytes, view=view, load=load, after_load=lambda: None)
    reader.start()
    try:
        await until(lambda: view.is_loaded)
        yield view
    finally:
        await reader.stop()


@pytest.mark.parametrize("step", ["decided", "events stored", "decisions stored", "published"])
async def test_a_worker_killed_anywhere_changes_no_outcome(
    environ: dict[str, str], settings: Settings, clickhouse: Client, tmp_path: Path, step: Step
) -> None:
    """No outcome differs, no reader goes back, each request is answered at least once and applied once."""
    log = CommandTopics(settings)
    once = request("once", workload("web", 1))
    async with view(settings, clickhouse, log) as reader:
        applied: list[tuple[int, str]] = []
        reader.watch(lambda outcome: applied.append((reader.state.revision, outcome.request_id)))
        records = await log.send(enrolment("dev-1"), [once, once], [request("s", secret("token"))])
        async with worker(environ, tmp_path / "first.log", step) as process:
            assert await asyncio.wait_for(process.wait(), 60) == -SIGKILL
        stored = {row.revision: row.outcome for row in outcomes_between(clickhouse, 0, 2**63)}
        records += await log.send(enrolment("dev-2"), [request("change", workload("web", 2)), once])
        async with worker(environ, tmp_path / "second.log"):
            await log.feed_with({"steal-dev-2", "change"})
        published = await log.feed()
        await until(lambda: any(name == "change" for _, name in applied))

    compare(clickhouse, records, stored, published)
    expected = expected_decisions(records, EPOCH)
    assert reader.applied_outcomes == len([decision for decision in expected if decision.outcome])
    revisions = [revision for revision, _ in applied]
    assert revisions == sorted(revisions)
    for state in (reader.state, load_state(clickhouse, "default")):
        assert state.resources("EdgeWorkload", "default")["web"].body["spec"]["n"] == 2
        assert {name: each.is_key_proven for name, each in state.identities.items()} == {"dev-1": True, "dev-2": True}
    events = clickhouse.query("SELECT device_id, reason FROM device_events ORDER BY device_id").result_rows
    assert events == [("dev-1", "KeyRefused"), ("dev-2", "KeyRefused")]


@pytest.mark.parametrize("step", ["decided", "decisions stored"])
async def test_a_worker_that_stood_still_and_comes_back_changes_no_outcome(
    environ: dict[str, str], settings: Settings, clickhouse: Client, tmp_path: Path, step: Step
) -> None:
    """Another has decided the same commands meanwhile, and more."""
    log = CommandTopics(settings)
    # One that hangs ends early enough for its successor to answer within the time waited for.
    environ = {**environ, "MUSTER_STREAMS_STALL_EXIT_S": "20"}
    records = await log.send(enrolment("dev-1"), [request("first", workload("web", 1))])
    async with (
        worker(environ, tmp_path / "late.log", step, SIGSTOP) as late,
        successor(environ, tmp_path / "successor.log", late),
    ):
        await until(lambda: is_standing_still(late.pid), 60)
        stored = {row.revision: row.outcome for row in outcomes_between(clickhouse, 0, 2**63)}
        records += await log.send([request("second", workload("web", 2))])
        async with worker(environ, tmp_path / "current.log"):
            await log.feed_with({"first", "second"})
            stored |= {row.revision: row.outcome for row in outcomes_between(clickhouse, 0, 2**63)}
            late.send_signal(SIGCONT)
            records += await log.send([request("third", workload("web", 3))])
            await log.feed_with({"third"})
        records += await log.send([request("fourth", workload("web", 4))])
        published = await log.feed_with({"fourth"})
    compare(clickhouse, records, stored, published)


async def test_an_outcome_larger_than_any_command_is_published(environ: dict[str, str], tmp_path: Path) -> None:
    """The command just fits a record, its outcome also has the status that was kept; what follows is not held up."""
    limited = {**environ, "MUSTER_KAFKA_RECORD_LIMIT_BYTES": "70000"}
    set_up(load(limited), datetime.now(UTC))
    log = CommandTopics(load(limited))
    first, change = workload("web", 1), workload("web", 2)
    status = PutResource(first.key, {"status": {"text": "s" * 60_000}}, "replace", "", subresource="status")
    change.body["spec"]["text"] = "t" * 60_000
    async with worker(limited, tmp_path / "worker.log"):
        await log.send([request("first", first)], [request("status", status)], [request("large", change)])
        await log.send([request("next", workload("other", 1))])
        outcomes = await log.feed_with({"large", "next"})
    large = next(outcome for outcome in outcomes if outcome.request_id == "large")
    assert len(msgspec.msgpack.encode(large)) > load(limited).kafka.record_limit_bytes


def is_standing_still(pid: int) -> bool:
    """Whether the kernel has stopped a process."""
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


def compare(
    clickhouse: Client, records: list[CommandRecord], stored: dict[int, Outcome | None], published: list[Outcome]
) -> None:
    """What was ever stored or published is what one decider that never stops says, and nothing is missing."""
    decisions = expected_decisions(records, EPOCH)
    expected = {decision.revision: decision.outcome for decision in decisions if decision.outcome}
    assert all(expected.get(revision) == outcome for revision, outcome in stored.items() if outcome)
    assert all(expected[outcome.revision] == outcome for outcome in published)
    assert {outcome.revision for outcome in published} == set(expected)
    first_seen = list(dict.fromkeys(outcome.revision for outcome in published))
    assert first_seen == sorted(first_seen)
    rows = outcomes_between(clickhouse, 0, 2**63)
    assert [(row.revision, row.outcome) for row in rows] == [(each.revision, each.outcome) for each in decisions]
