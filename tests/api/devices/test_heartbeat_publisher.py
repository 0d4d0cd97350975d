"""Heartbeats are collected, sent as records and answered by their places; what cannot be stored is refused at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from api.devices.heartbeat_publisher import HeartbeatPublisher
from fleet.errors import UnavailableError
from fleet.heartbeats.entries import HeartbeatEntry
from fleet.position import Position
from streams.heartbeats.records import decode_heartbeats, partition_of
from streams.kafka_producer import KafkaProducer
from tests.waiting import eventually

PARTITIONS = 4
WINDOW_S = 0.05


class FaultyProducer:
    """Records what is sent and acknowledges it when told to: a fault that a real broker shows too rarely."""

    def __init__(self, value_limit_bytes: int = 1_000_000) -> None:
        self.is_up = True
        self.value_limit_bytes = value_limit_bytes
        self.sent: list[tuple[int, bytes, asyncio.Future[int]]] = []

    def post(self, topic: str, partition: int, value: bytes) -> "asyncio.Future[int]":
        """Not done until the test acknowledges."""
        assert topic == "heartbeats"
        acknowledged: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.sent.append((partition, value, acknowledged))
        return acknowledged


def publisher(
    producer: FaultyProducer | KafkaProducer, topic: str = "heartbeats", **changed: object
) -> HeartbeatPublisher:
    """A publisher with a deadline that tests can wait for."""
    arguments: dict[str, object] = {"window_s": WINDOW_S, "deadline_s": 0.2, "in_flight_limit_bytes": 100_000}
    return HeartbeatPublisher(producer, topic, PARTITIONS, **(arguments | changed))  # type: ignore[arg-type]


def entry(device_id: str = "d1", body: bytes = b"{}") -> HeartbeatEntry:
    """A heartbeat."""
    return HeartbeatEntry("default", device_id, 1, is_checked=True, wanted_version=None, body=body)


async def sent(producer: FaultyProducer, records: int) -> None:
    """Wait until so many records were handed to the producer."""
    await eventually(lambda: len(producer.sent) >= records, 2)


@pytest.fixture
async def topic(kafka: str) -> str:
    """A real topic."""
    name = f"publisher-{uuid4().hex[:8]}"
    config = {"max.message.bytes": "4000000"}
    admin = AdminClient({"bootstrap.servers": kafka})
    await asyncio.to_thread(admin.create_topics([NewTopic(name, PARTITIONS, 1, config=config)])[name].result)
    return name


@pytest.fixture
async def producer(kafka: str) -> AsyncIterator[KafkaProducer]:
    """A real producer that is connected."""
    producer = KafkaProducer(kafka, 4_000_000, "publisher-test")
    producer.start()
    await eventually(lambda: producer.is_up)
    yield producer
    await producer.stop(5)


async def test_positions_name_each_heartbeat_once(topic: str, producer: KafkaProducer) -> None:
    """Many at a time share records, and each has a place of its own in its device's partition."""
    publishing = publisher(producer, topic, in_flight_limit_bytes=10_000_000, deadline_s=5)
    positions = await asyncio.gather(*(publishing.publish(entry(f"d{number}")) for number in range(2000)))
    assert len(set(positions)) == 2000
    for number, position in enumerate(positions):
        assert position.partition == partition_of("default", f"d{number}", PARTITIONS)
    assert len({(position.partition, position.offset) for position in positions}) <= 2 * PARTITIONS
    assert publishing.in_flight_bytes == 0


async def test_an_idle_partition_sends_at_once() -> None:
    """The first heartbeat does not wait for the window."""
    producer = FaultyProducer()
    started_s = asyncio.get_running_loop().time()
    publishing = asyncio.create_task(publisher(producer, window_s=10).publish(entry()))
    await sent(producer, 1)
    assert asyncio.get_running_loop().time() - started_s < 0.1
    producer.sent[0][2].set_result(7)
    assert (await publishing)[2:] == (7, 0)


async def test_a_busy_partition_sends_a_record_a_window() -> None:
    """What comes within the window after a record shares the next."""
    producer = FaultyProducer()
    publishing = publisher(producer)
    tasks = [asyncio.create_task(publishing.publish(entry()))]
    await sent(producer, 1)
    started_s = asyncio.get_running_loop().time()
    for _ in range(5):
        tasks.append(asyncio.create_task(publishing.publish(entry())))
        await asyncio.sleep(0.002)
    await sent(producer, 2)
    assert asyncio.get_running_loop().time() - started_s >= WINDOW_S * 0.8
    assert [len(decode_heartbeats(value)) for _, value, _ in producer.sent] == [1, 5]
    for offset, (_, _, acknowledged) in enumerate(producer.sent):
        acknowledged.set_result(offset)
    assert [(position.offset, position.batch_index) for position in await asyncio.gather(*tasks)] == [
        (0, 0),
        *((1, index) for index in range(5)),
    ]


async def test_a_record_is_cut_below_the_limit() -> None:
    """A batch that would grow beyond the record limit is sent, and the next begun."""
    producer = FaultyProducer(value_limit_bytes=1000)
    publishing = publisher(producer)
    tasks = [asyncio.create_task(publishing.publish(entry(body=b"x" * 300))) for _ in range(7)]
    await sent(producer, 4)
    assert all(len(value) <= 1000 for _, value, _ in producer.sent)
    assert sum(len(decode_heartbeats(value)) for _, value, _ in producer.sent) == 7
    for offset, (_, _, acknowledged) in enumerate(producer.sent):
        acknowledged.set_result(offset)
    assert len(set(await asyncio.gather(*tasks))) == 7


async def test_a_cut_record_that_cannot_be_sent_frees_its_bytes() -> None:
    """Its heartbeats are refused, and the one that filled it goes on counting alone."""

    class LosingProducer(FaultyProducer):
        def post(self, topic: str, partition: int, value: bytes) -> "asyncio.Future[int]":
            if not self.sent:
                self.sent.append((partition, b"", asyncio.get_running_loop().create_future()))
                raise UnavailableError("lost")
            return super().post(topic, partition, value)

    producer = LosingProducer(value_limit_bytes=1000)
    publishing = publisher(producer)
    tasks = [asyncio.create_task(publishing.publish(entry(body=b"x" * 600))) for _ in range(2)]
    await sent(producer, 2)
    producer.sent[1][2].set_result(5)
    lost, kept = await asyncio.gather(*tasks, return_exceptions=True)
    assert str(lost) == "lost"
    assert isinstance(kept, Position)
    assert publishing.in_flight_bytes == 0


async def test_bytes_in_flight_are_bounded() -> None:
    """Full: refused at once, until something is acknowledged."""
    producer = FaultyProducer()
    publishing = publisher(producer, in_flight_limit_bytes=1000)
    first = asyncio.create_task(publishing.publish(entry(body=b"x" * 700)))
    await sent(producer, 1)
    with pytest.raises(UnavailableError, match="MUSTER_HEARTBEATS_IN_FLIGHT_BYTES"):
        await publishing.publish(entry(body=b"x" * 700))
    producer.sent[0][2].set_result(0)
    await first
    second = asyncio.create_task(publishing.publish(entry(body=b"x" * 700)))
    await sent(producer, 2)
    producer.sent[1][2].set_result(1)
    assert (await second).offset == 1


async def test_a_late_acknowledgement_is_an_error_in_time() -> None:
    """At the deadline 503; then refused at once as long as the record is overdue; then again accepted."""
    producer = FaultyProducer()
    publishing = publisher(producer)
    with pytest.raises(UnavailableError, match="in time"):
        await publishing.publish(entry())
    assert publishing.in_flight_bytes > 0
    with pytest.raises(UnavailableError, match="does not acknowledge"):
        await publishing.publish(entry())
    assert len(producer.sent) == 1
    producer.sent[0][2].set_result(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    again = asyncio.create_task(publishing.publish(entry()))
    await sent(producer, 2)
    producer.sent[1][2].set_result(1)
    assert (await again).offset == 1


async def test_one_partition_in_trouble_leaves_the_others_alone() -> None:
    """Each partition has a leader of its own."""
    producer = FaultyProducer()
    publishing = publisher(producer)
    other = next(name for name in ("d2", "d3", "d4", "d5") if partition_of("default", name, PARTITIONS) != 0)
    with pytest.raises(UnavailableError):
        await publishing.publish(entry("d1"))
    assert publishing.can_publish
    if partition_of("default", other, PARTITIONS) != partition_of("default", "d1", PARTITIONS):
        good = asyncio.create_task(publishing.publish(entry(other)))
        await sent(producer, 2)
        producer.sent[1][2].set_result(3)
        assert (await good).offset == 3
    producer.sent[0][2].set_result(0)


async def test_a_failed_record_fails_its_heartbeats_and_frees_their_bytes() -> None:
    """Nobody is told 200 for what is not stored."""
    producer = FaultyProducer()
    publishing = publisher(producer)
    tasks = [asyncio.create_task(publishing.publish(entry())) for _ in range(3)]
    await sent(producer, 1)
    producer.sent[0][2].set_exception(UnavailableError("lost"))
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(result) for result in results] == ["lost"] * 3
    await asyncio.sleep(0)
    assert publishing.in_flight_bytes == 0


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(lambda producer: setattr(producer, "is_up", False), "not reachable"), (None, "retention")],
)
async def test_what_would_be_in_vain_is_refused_at_once(
    spoil: Callable[[FaultyProducer], None] | None, message: str
) -> None:
    """Down, or unread heartbeats near the end of their retention."""
    producer = FaultyProducer()
    if spoil:
        spoil(producer)
    publishing = publisher(producer, is_endangered=lambda _: spoil is None)
    with pytest.raises(UnavailableError, match=message):
        await publishing.publish(entry())
    assert not publishing.can_publish
    assert producer.sent == []


async def test_a_caller_that_leaves_takes_nothing_with_it() -> None:
    """One cancelled wait leaves the record and its other heartbeats alone."""
    producer = FaultyProducer()
    publishing = publisher(producer)
    tasks = [asyncio.create_task(publishing.publish(entry())) for _ in range(2)]
    await sent(producer, 1)
    tasks[0].cancel()
    await asyncio.sleep(0)
    producer.sent[0][2].set_result(4)
    assert await tasks[1] == Position(0, partition_of("default", "d1", PARTITIONS), 4, 1)


async def test_draining_sends_what_is_collected() -> None:
    """A stop waits for the acknowledgement of the last window, too."""
    producer = FaultyProducer()
    publishing = publisher(producer, window_s=10)
    tasks = [asyncio.create_task(publishing.publish(entry()))]
    await sent(producer, 1)
    tasks.append(asyncio.create_task(publishing.publish(entry())))
    await asyncio.sleep(0)
    draining = asyncio.create_task(publishing.drain(1))
    await sent(producer, 2)
    for offset, (_, _, acknowledged) in enumerate(producer.sent):
        acknowledged.set_result(offset)
    await draining
    assert [position.offset for position in await asyncio.gather(*tasks)] == [0, 1]
