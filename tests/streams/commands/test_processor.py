"""The deciding worker without Faust, on a real broker and engine: one outcome a request, whoever decides."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver import Client
from confluent_kafka import TopicPartition

from fleet.decisions.commands import DeleteResource, Outcome, ResourceKey
from fleet.decisions.decider import DecidedRequests, Decider
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Limits
from fleet.position import pack_sequence
from settings import Settings
from settings.keys import read_password
from storage.client import connect
from storage.decisions import first_stored_within, insert_decisions, last_revision, load_state
from streams.commands.decision_store import DecisionRules, DecisionStore
from streams.commands.feed_publisher import FeedPublisher
from streams.commands.processor import CommandProcessor, Step
from streams.commands.source import CommandSource
from streams.dead_letters import DeadLetters
from streams.kafka_producer import KafkaProducer
from streams.topic_ids import admin_client
from tests.streams.commands.command_scenario import (
    LIMITS,
    NOW_MS,
    PLANTED,
    enrolment,
    expected_decisions,
    request,
    secret,
    workload,
)
from tests.streams.commands.command_topics import CommandTopics

EPOCH = 1


class CrashError(Exception):
    """Stands for the death of the process."""


@pytest.fixture
def log(settings: Settings) -> CommandTopics:
    """The ends of this test's command log."""
    return CommandTopics(settings)


@asynccontextmanager
async def worker(
    settings: Settings,
    client: Client,
    name: str = "a",
    *,
    limits: Limits = LIMITS,
    remembered: int = 100_000,
    record_limit_bytes: int = 1_000_000,
    reached: Callable[[Step], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[CommandProcessor]:
    """A run of the deciding worker."""
    log = CommandTopics(settings)
    producer = KafkaProducer(log.bootstrap, 2 * record_limit_bytes, client_id=name)
    producer.start()
    try:
        yield CommandProcessor(
            DecisionStore(client, name),
            FeedPublisher(producer, log.bootstrap, log.names.feed.name, record_limit_bytes),
            CommandSource(log.bootstrap, log.names.commands.name, 4_000_000),
            rules=DecisionRules("default", remembered, limits),
            epoch=EPOCH,
            feed_retention_ms=log.names.feed.retention_ms,
            dead_letters=DeadLetters(producer, log.names.dead_letters.name, 3),
            reached=reached,
            clock=clock,
        )
    finally:
        await producer.stop(within_s=5)


def crash_at(step: Step) -> Callable[[Step], None]:
    """A hook that ends the run there."""

    def reached(now: Step) -> None:
        if now == step:
            raise CrashError

    return reached


def results(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    """What came of which request."""
    return [(outcome.request_id, outcome.result) for outcome in outcomes]


def each_once(outcomes: list[Outcome]) -> list[Outcome]:
    """As a reader takes them, who skips what comes again: a worker that lost its turn may publish an outcome twice."""
    return list({outcome.revision: outcome for outcome in outcomes}.values())


async def test_each_request_is_decided_stored_and_published_in_order(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """With its event in device_events, and the desired state to be loaded by whoever comes."""
    records = await log.send(enrolment("dev"), [request("w", workload("web", 1))])
    async with worker(settings, clickhouse) as processor:
        await processor.process(records)
        decider = await processor.load()
    expected = [decision.outcome for decision in expected_decisions(records, EPOCH)]
    assert await log.feed() == expected
    assert [outcome.result for outcome in expected if outcome] == ["accepted"] * 3 + ["forbidden", "accepted"]
    assert decider.state.identities["dev"].is_key_proven
    events = clickhouse.query("SELECT device_id, source, reason, epoch, offset, batch_index FROM device_events")
    assert events.result_rows == [("dev", "muster", "KeyRefused", 1, 0, 3)]


async def test_a_command_that_is_stored_is_answered_from_the_record(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """A replay says the same, even where it would be decided otherwise today."""
    records = await log.send(enrolment("dev"), [request("w", workload("web", 1))])
    async with worker(settings, clickhouse) as processor:
        await processor.process(records)
    first = await log.feed()
    async with worker(settings, clickhouse, "b", limits=Limits(0, 0)) as processor:
        await processor.process(records[1:])
        await processor.process(records)
    assert await log.feed() == [*first, *first[4:], *first]
    assert last_revision(clickhouse) == first[-1].revision


@pytest.mark.parametrize("step", ["decided", "events stored", "decisions stored", "published"])
async def test_a_run_that_ends_anywhere_changes_no_outcome(
    settings: Settings, clickhouse: Client, log: CommandTopics, step: Step
) -> None:
    """The next run says what an unbroken one would have said."""
    records = await log.send([request("before", workload("web", 0))])
    records += await log.send(enrolment("dev"), [request("w", workload("web", 1)), request("w", workload("web", 1))])
    async with worker(settings, clickhouse) as processor:
        await processor.process(records[:1])
    async with worker(settings, clickhouse, "b", reached=crash_at(step)) as processor:
        with pytest.raises(CrashError):
            await processor.process(records[1:])
    async with worker(settings, clickhouse, "c") as processor:
        await processor.process(records)
    decisions = expected_decisions(records, EPOCH)
    outcomes = {decision.revision: decision.outcome for decision in decisions if decision.outcome}
    published = await log.feed()
    assert {outcome.revision: outcome for outcome in published} == outcomes
    assert all(outcomes[outcome.revision] == outcome for outcome in published)
    first_seen = list(dict.fromkeys(outcome.revision for outcome in published))
    assert first_seen == sorted(first_seen)


async def test_what_was_stored_but_not_published_is_published_at_the_next_start(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """Even if its place was committed, so that its command does not come again."""
    records = await log.send([request("one", workload("web", 1))])
    async with worker(settings, clickhouse) as processor:
        await processor.process(records)
    records = await log.send([request("two", workload("web", 2)), request("three", workload("web", 3))])
    async with worker(settings, clickhouse, "b", reached=crash_at("decisions stored")) as processor:
        with pytest.raises(CrashError):
            await processor.process(records)
    async with worker(settings, clickhouse, "c") as processor:
        await processor.load()
        assert results(await log.feed()) == [("one", "accepted"), ("two", "accepted"), ("three", "accepted")]
        await processor.load()
    assert len(await log.feed()) == 3


async def test_what_was_stored_before_anything_was_published_is_published_too(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """An empty feed does not mean that there is nothing to tell: the first run may have ended too early."""
    records = await log.send([request("one", workload("web", 1))])
    async with worker(settings, clickhouse, reached=crash_at("decisions stored")) as processor:
        with pytest.raises(CrashError):
            await processor.process(records)
    async with worker(settings, clickhouse, "b") as processor:
        await processor.load()
        await processor.load()
    assert results(await log.feed()) == [("one", "accepted")]


async def test_what_was_stored_longer_ago_than_the_feed_is_kept_is_not_looked_for(
    clickhouse: Client, log: CommandTopics
) -> None:
    """It was published, and is gone from the feed by its age; nor is what another life of the topic held."""
    decisions = expected_decisions(await log.send([request("one", workload("web", 1))]), EPOCH)
    insert_decisions(clickhouse, decisions, "a")
    first = decisions[0].revision
    assert first_stored_within(clickhouse, 3_600_000, 0) == first
    assert first_stored_within(clickhouse, 3_600_000, pack_sequence(EPOCH + 1, 0, 0)) is None
    assert first_stored_within(clickhouse, 0, 0) is None


async def test_commands_that_were_passed_over_are_decided_before_the_next(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """A committed offset that ran ahead costs no command."""
    records = await log.send(*([request(f"w-{number}", workload("web", number))] for number in range(5)))
    async with worker(settings, clickhouse) as processor:
        await processor.process(records[:1])
        await processor.process(records[4:])
    assert [outcome.request_id for outcome in await log.feed()] == [f"w-{number}" for number in range(5)]


@pytest.mark.parametrize("step_s", [1, 0], ids=["looks", "has just read back"])
async def test_a_worker_that_was_overtaken_goes_on_from_what_is_stored(
    settings: Settings, clickhouse: Client, log: CommandTopics, step_s: int
) -> None:
    """After a rebalance there and back, also one that finds the other only when it reads its own batch back."""
    records = await log.send(
        [request("one", workload("web", 1))],
        [request("gone", DeleteResource(ResourceKey("EdgeWorkload", "default", "web")))],
        [request("again", DeleteResource(ResourceKey("EdgeWorkload", "default", "web")))],
    )
    seconds = itertools.count(step=step_s)
    async with (
        worker(settings, clickhouse, clock=lambda: next(seconds)) as late,
        worker(settings, clickhouse, "b") as current,
    ):
        await late.process(records[:1])
        await current.process(records[:2])
        await late.process(records[1:])
    outcomes = await log.feed()
    assert dict(results(outcomes)) == {"one": "accepted", "gone": "accepted", "again": "not-found"}
    assert results(each_once(outcomes)) == [("one", "accepted"), ("gone", "accepted"), ("again", "not-found")]
    counting = "SELECT revision, decider FROM decisions ORDER BY revision, _block_number LIMIT 1 BY revision"
    assert [decider for _, decider in clickhouse.query(counting).result_rows] == ["a", "b", "a"]


async def test_of_two_workers_that_decide_at_once_the_first_to_store_has_decided(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """The late one publishes what counts, not what it thought, and goes on from there."""
    records = await log.send(enrolment("dev")[:1], [request("next", workload("web", 1))])
    other = Decider(FleetState("default"), DecidedRequests(10), Limits(0, 0), 0)
    otherwise = request("enrol-dev", DeleteResource(ResourceKey("EdgeWorkload", "default", "web")))
    first = other.decide(otherwise, pack_sequence(EPOCH, 0, 0), NOW_MS)

    def other_stores_first(step: Step) -> None:
        if step == "events stored" and last_revision(clickhouse) == 0:
            insert_decisions(clickhouse, [first], "b")

    async with worker(settings, clickhouse, reached=other_stores_first) as late:
        await late.process(records[:1])
        assert each_once(await log.feed()) == [first.outcome]
        await late.process(records[1:])
    assert results(each_once(await log.feed())) == [("enrol-dev", "not-found"), ("next", "accepted")]
    clickhouse.command("OPTIMIZE TABLE decisions FINAL")  # which row was first survives the merging of parts
    state = load_state(clickhouse, "default")
    assert state.identities == {}
    assert list(state.resources("EdgeWorkload", "default")) == ["web"]
    assert clickhouse.query("SELECT count() FROM enrolments").result_rows == [(0,)]


async def test_on_replicas_the_batch_of_a_late_worker_is_dropped_whole_and_decided_again(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """Also what the first one's did not hold. One engine drops batches as replicas do, by their token."""
    records = await log.send(enrolment("dev")[:1], [request("next", workload("web", 1))])
    clickhouse.command("ALTER TABLE decisions MODIFY SETTING non_replicated_deduplication_window = 100")
    replicated = msgspec.structs.replace(settings.clickhouse, replicated=True)
    client = connect(replicated, read_password(settings.clickhouse_password_file))
    other = Decider(FleetState("default"), DecidedRequests(10), Limits(0, 0), 0)
    otherwise = request("enrol-dev", DeleteResource(ResourceKey("EdgeWorkload", "default", "web")))
    first = other.decide(otherwise, pack_sequence(EPOCH, 0, 0), NOW_MS)

    def other_stores_first(step: Step) -> None:
        if step == "events stored" and last_revision(client) == 0:
            insert_decisions(client, [first], "b")

    async with worker(settings, client, reached=other_stores_first) as late:
        await late.process(records)
    client.close()
    assert results(each_once(await log.feed())) == [("enrol-dev", "not-found"), ("next", "accepted")]
    rows = clickhouse.query("SELECT request_id, decider FROM decisions ORDER BY revision").result_rows
    assert rows == [("enrol-dev", "b"), ("next", "a")]


async def test_a_repeated_request_gets_its_first_outcome_and_is_applied_once(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """In the same record, in another batch, by another run, and on a replay."""
    first, change = request("w", workload("web", 1)), request("change", workload("web", 2))
    records = await log.send([first, first, change], [first])
    async with worker(settings, clickhouse) as processor:
        await processor.process(records)
    records += await log.send([first])
    async with worker(settings, clickhouse, "b") as processor:
        await processor.process(records[2:])
        await processor.process(records)
    outcomes = await log.feed()
    answers = [outcome for outcome in outcomes if outcome.request_id == "w"]
    assert len(answers) == 4 + 4
    assert all(answer == answers[0] for answer in answers)
    stored = load_state(clickhouse, "default").get(ResourceKey("EdgeWorkload", "default", "web"))
    assert stored is not None
    assert stored.body["spec"]["n"] == 2


async def test_request_ids_are_forgotten_beyond_the_limit(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """Also by a run that loads them, so that any run says the same."""
    records = await log.send([request(f"w-{number}", workload("web", number)) for number in range(4)])
    async with worker(settings, clickhouse, remembered=2) as processor:
        await processor.process(records)
    again = await log.send([request("w-0", workload("web", 0)), request("w-3", workload("web", 3))])
    async with worker(settings, clickhouse, "b", remembered=2) as processor:
        await processor.process(again)
    assert [outcome.revision for outcome in (await log.feed())[4:]] == [
        pack_sequence(EPOCH, 1, 0),
        pack_sequence(EPOCH, 0, 3),
    ]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"garbage",
        msgspec.msgpack.encode([9, []]),
        msgspec.msgpack.encode([1, []]),
        pytest.param(b"\x92\x01" + b"\x91" * 100_000 + b"\xc0", id="nested"),
    ],
)
async def test_a_record_that_cannot_be_read_is_put_aside_and_the_log_goes_on(
    settings: Settings, clickhouse: Client, log: CommandTopics, value: bytes
) -> None:
    """It is accounted for, so that it is not met again at every start."""
    records = await log.send(value, [request("next", workload("web", 1))])
    async with worker(settings, clickhouse) as processor:
        await processor.process(records)
    async with worker(settings, clickhouse, "b") as processor:
        await processor.load()
        await processor.process(await log.send([request("later", workload("web", 2))]))
    assert [record.value for record in await log.read(log.names.dead_letters.name)] == [value]
    assert results(await log.feed()) == [("", "invalid"), ("next", "accepted"), ("later", "accepted")]


async def test_outcomes_that_fit_no_record_together_are_published_in_several(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """In their order."""
    big = "x" * 30_000
    requests = []
    for number in range(20):
        command = workload(f"w-{number}", number)
        command.body["spec"]["big"] = big
        requests.append(request(f"w-{number}", command))
    records = await log.send(requests)
    async with worker(settings, clickhouse, record_limit_bytes=100_000) as processor:
        await processor.process(records)
    assert len(await log.read(log.names.feed.name)) > 1
    assert [outcome.request_id for outcome in await log.feed()] == [each.request_id for each in requests]


async def test_a_secrets_value_is_readable_in_no_record_and_no_column(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """Nor its annotations; the analysts' view shows nothing of its body at all."""
    records = await log.send([request("s", secret("token"))])
    async with worker(settings, clickhouse) as processor:
        await processor.process(records)
    values: list[Any] = [record.value for record in [*records, *await log.read(log.names.feed.name)]]
    tables = [name for (name,) in clickhouse.query("SHOW TABLES").result_rows]
    values += [clickhouse.raw_query(f"SELECT * FROM {table}", fmt="JSONEachRow") for table in tables]
    assert any(b"token" in value for value in values)
    assert not any(PLANTED.encode() in value for value in values)
    shown = clickhouse.query("SELECT kind, name, body FROM configuration_revisions").result_rows
    assert shown == [("Secret", "token", "")]


async def test_the_views_of_analysts_show_who_joined_and_what_changed(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """In the latest state and with every change."""
    web = ResourceKey("EdgeWorkload", "default", "web")
    records = await log.send(enrolment("dev"), [request("w", workload("web", 1)), request("gone", DeleteResource(web))])
    async with worker(settings, clickhouse) as processor:
        await processor.process(records)
    columns = "namespace, device_id, state, key_fingerprint, is_key_proven, hardware_labels, deleting_since"
    rows = clickhouse.query(f"SELECT {columns} FROM enrolments").result_rows
    assert rows == [("default", "dev", "registered", "aa" * 32, True, {"device.hostname": "dev"}, None)]
    columns = "kind, name, is_deleted, author, request_id, offset, batch_index"
    rows = clickhouse.query(f"SELECT {columns} FROM configuration_revisions ORDER BY revision, kind").result_rows
    assert rows == [
        ("EdgeDevice", "dev", False, "ann", "enrol-dev", 0, 0),
        ("EdgeDeviceSignedRequest", "dev", False, "ann", "enrol-dev", 0, 0),
        ("EdgeWorkload", "web", False, "ann", "w", 1, 0),
        ("EdgeWorkload", "web", True, "ann", "gone", 1, 1),
    ]


async def test_commands_that_the_topic_has_lost_do_not_stop_the_log(
    settings: Settings, clickhouse: Client, log: CommandTopics
) -> None:
    """A worker that was away for longer than the retention decides what is left."""
    lost, left = await log.send([request("lost", workload("web", 1))], [request("left", workload("web", 2))])
    place = TopicPartition(log.names.commands.name, 0, left.offset)
    admin = admin_client(log.bootstrap)
    await asyncio.to_thread(admin.delete_records([place])[place].result, 10)
    assert lost.offset < left.offset
    async with worker(settings, clickhouse) as processor:
        await processor.process([left])
    assert results(await log.feed()) == [("left", "accepted")]
