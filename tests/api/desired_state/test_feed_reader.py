"""A view is loaded and then kept current by the feed, whatever happens to the feed meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from api.desired_state.feed_reader import FeedReader
from api.desired_state.fleet_view import FleetView
from fleet.decisions.commands import Change, Outcome, ResourceKey
from fleet.decisions.state import FleetState
from streams.commands.feed_records import encode_outcomes
from streams.kafka_producer import KafkaProducer
from tests.waiting import eventually


class Clock:
    """Seconds as the test says."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        """The time it is."""
        return self.now_s


def outcome(revision: int, value: str = "") -> Outcome:
    """A change of one set."""
    key = ResourceKey("EdgeDeviceSet", "default", "kiosks")
    body = {"metadata": {"name": "kiosks", "namespace": "default"}, "spec": {"value": value or str(revision)}}
    return Outcome(revision, f"r{revision}", "ann", 0, "accepted", "", [Change(key, body)], [])


def value_in(state: FleetState) -> str | None:
    """What the set says."""
    held = state.get(ResourceKey("EdgeDeviceSet", "default", "kiosks"))
    return held.body["spec"]["value"] if held else None


def loaded_at(*outcomes: Outcome) -> FleetState:
    """A state as the database would give it."""
    state = FleetState("default")
    for one in outcomes:
        state.apply_outcome(one)
    return state


class Feed:
    """A real topic and a reader of it; what the database holds is the test's to say."""

    def __init__(self, kafka: str, topic: str) -> None:
        self.kafka = kafka
        self.topic = topic
        self.clock = Clock()
        self.view = FleetView("default", 60, self.clock)
        self.stored = loaded_at()
        self.loads = 0
        self.loading: Callable[[], None] = lambda: None
        self.reader = FeedReader(kafka, topic, 1_000_000, view=self.view, load=self._load, after_load=lambda: None)
        self.producer = KafkaProducer(kafka, 1_000_000, "feed-test")

    async def _load(self) -> FleetState:
        self.loads += 1
        self.loading()
        return self.stored

    async def publish(self, *outcomes: Outcome) -> None:
        """As the deciding worker does."""
        await self.producer.send(self.topic, 0, encode_outcomes(outcomes))


@pytest.fixture
async def feed(kafka: str) -> AsyncIterator[Feed]:
    """A feed with nothing in it."""
    topic = f"feed-{uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": kafka})
    await asyncio.to_thread(admin.create_topics([NewTopic(topic, 1, 1)])[topic].result)
    feed = Feed(kafka, topic)
    feed.producer.start()
    await eventually(lambda: feed.producer.is_up)
    yield feed
    await feed.reader.stop()
    await feed.producer.stop(5)


async def test_the_view_is_what_was_loaded_and_what_came_since(feed: Feed) -> None:
    """Until then absent means nothing, afterwards it means unknown."""
    feed.stored = loaded_at(outcome(1), outcome(2))
    assert not feed.view.is_loaded
    feed.reader.start()
    await eventually(lambda: feed.view.is_loaded)
    assert value_in(feed.view.state) == "2"
    await feed.publish(outcome(3))
    await eventually(lambda: value_in(feed.view.state) == "3")


async def test_what_is_published_during_the_load_is_not_missed(feed: Feed) -> None:
    """The feed's end is noted before the load."""
    feed.stored = loaded_at(outcome(1))
    published: list[asyncio.Task[None]] = []
    feed.loading = lambda: published.append(asyncio.create_task(feed.publish(outcome(2))))
    feed.reader.start()
    await eventually(lambda: value_in(feed.view.state) == "2")


async def test_older_outcomes_published_again_change_nothing(feed: Feed) -> None:
    """After a crash of the deciding worker they come again; those who wait for them are told all the same."""
    told: list[int] = []
    feed.view.watch(lambda outcome: told.append(outcome.revision))
    feed.reader.start()
    await eventually(lambda: feed.view.is_loaded)
    await feed.publish(outcome(5))
    await feed.publish(outcome(4, "older"), outcome(5, "again"))
    await feed.publish(outcome(6))
    await eventually(lambda: value_in(feed.view.state) == "6")
    assert told == [5, 4, 5, 6]
    assert feed.view.applied_outcomes == 2


async def test_a_feed_cut_off_before_our_place_means_loading_again(feed: Feed) -> None:
    """Retention passed us by: the database has what the feed no longer has."""
    feed.reader.start()
    await eventually(lambda: feed.view.is_loaded)
    await feed.reader.stop()
    for revision in range(1, 4):
        await feed.publish(outcome(revision))
    feed.stored = loaded_at(outcome(3, "stored"))
    # The reader stands where it noted the end; then that place is deleted under it.
    feed.loading = lambda: _delete_records(feed)
    feed.reader.start()
    await eventually(lambda: feed.view.loads >= 3)
    await feed.publish(outcome(9))
    await eventually(lambda: value_in(feed.view.state) == "9")


def _delete_records(feed: Feed) -> None:
    """Publish one more and delete all, so that the place noted before is gone. Blocks for a moment."""
    if feed.loads > 2:
        return
    producer = confluent_kafka.Producer({"bootstrap.servers": feed.kafka})
    producer.produce(feed.topic, encode_outcomes([outcome(3, "stored")]), partition=0)
    producer.flush(10)
    admin = AdminClient({"bootstrap.servers": feed.kafka})
    end = confluent_kafka.TopicPartition(feed.topic, 0, confluent_kafka.OFFSET_END)
    for future in admin.delete_records([end]).values():
        future.result(10)


async def test_a_record_of_a_later_layout_is_skipped(feed: Feed) -> None:
    """One unreadable record must not end the feed."""
    feed.reader.start()
    await eventually(lambda: feed.view.is_loaded)
    await feed.producer.send(feed.topic, 0, b"nonsense")
    await feed.publish(outcome(1))
    await eventually(lambda: value_in(feed.view.state) == "1")


async def test_a_load_never_takes_a_view_back(feed: Feed) -> None:
    """A replica that lags may answer with older state than the feed has brought."""
    feed.reader.start()
    await eventually(lambda: feed.view.is_loaded)
    await feed.publish(outcome(5))
    await eventually(lambda: value_in(feed.view.state) == "5")
    feed.view.replace(loaded_at(outcome(4)))
    assert value_in(feed.view.state) == "5"


async def test_the_view_says_how_old_it_is(feed: Feed) -> None:
    """Current as long as the feed's end is known to be applied; stale past the bound."""
    feed.reader.start()
    await eventually(lambda: feed.view.is_loaded)
    feed.clock.now_s += 100
    await eventually(lambda: feed.view.age_s == 0)
    await feed.reader.stop()
    feed.clock.now_s += 61
    assert feed.view.is_stale()
    feed.reader.start()
    await eventually(lambda: not feed.view.is_stale())
