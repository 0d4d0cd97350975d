"""Commands share records, are answered by the feed, and never hang: an outcome unknown at the deadline is said so."""

import asyncio
import itertools

import pytest

from api.desired_state.command_gateway import CommandGateway
from fleet.decisions.commands import DeleteResource, Outcome, Request, ResourceKey
from fleet.errors import BadInputError, MusterError, OutcomeUnknownError, TooLargeError, UnavailableError
from streams.commands.records import decode_requests
from tests.waiting import eventually


class FaultyProducer:
    """Keeps what is sent; fails as often as told."""

    def __init__(self) -> None:
        self.is_up = True
        self.value_limit_bytes = 2000
        self.records: list[list[Request]] = []
        self.failures = 0

    async def send(self, topic: str, partition: int, value: bytes) -> int:
        """Take a record or fail."""
        assert (topic, partition) == ("commands", 0)
        if self.failures:
            self.failures -= 1
            raise UnavailableError("lost")
        self.records.append(decode_requests(value))
        return len(self.records) - 1


@pytest.fixture
def producer() -> FaultyProducer:
    """A producer that is up."""
    return FaultyProducer()


@pytest.fixture
def gateway(producer: FaultyProducer) -> CommandGateway:
    """A gateway with request ids that count."""
    numbers = itertools.count(1)
    return CommandGateway(
        producer, "commands", window_s=0.02, wall_clock_ms=lambda: 1000, new_request_id=lambda: f"r{next(numbers)}"
    )


def command(name: str = "x") -> DeleteResource:
    """Any command."""
    return DeleteResource(ResourceKey("EdgeDeviceSet", "default", name))


def outcome(request: Request, revision: int = 1) -> Outcome:
    """Its outcome, as the feed brings it."""
    return Outcome(revision, request.request_id, request.author, request.issued_at_ms, "accepted", "", [], [])


async def test_a_caller_gets_the_outcome_once_it_is_applied(gateway: CommandGateway, producer: FaultyProducer) -> None:
    """The request carries author and time; the answer is the feed's."""
    asking = asyncio.create_task(gateway.submit(command(), "ann", 1))
    await eventually(lambda: producer.records)
    ((request,),) = producer.records
    assert (request.request_id, request.author, request.issued_at_ms) == ("r1", "ann", 1000)
    assert not asking.done()
    gateway.on_outcome(outcome(request, 5))
    assert (await asking).revision == 5
    assert gateway.waiting == 0


async def test_what_was_answered_is_not_held_until_its_deadline(
    gateway: CommandGateway, producer: FaultyProducer
) -> None:
    """An import of a million devices would hold what it asked in the last ten seconds, some kB each."""
    asking = asyncio.create_task(gateway.submit(command(), "ann", 600))
    await eventually(lambda: producer.records)
    ((request,),) = producer.records
    told = outcome(request)
    (waiting,) = gateway._waiting.values()
    timer = waiting.timer
    gateway.on_outcome(told)
    assert await asking is told
    assert timer.cancelled()


async def test_what_comes_together_shares_a_record(gateway: CommandGateway, producer: FaultyProducer) -> None:
    """An idle gateway sends at once, a busy one a record a window, each below the limit."""
    asking = [asyncio.create_task(gateway.submit(command(f"n{number}"), "ann", 1)) for number in range(100)]
    await eventually(lambda: sum(map(len, producer.records)) == 100)
    assert 1 < len(producer.records) < 20
    for request in itertools.chain(*producer.records):
        gateway.on_outcome(outcome(request))
    assert len(await asyncio.gather(*asking)) == 100


async def test_at_the_deadline_the_outcome_is_unknown(gateway: CommandGateway, producer: FaultyProducer) -> None:
    """With the request id, and nothing is kept of it."""
    with pytest.raises(OutcomeUnknownError, match="r1") as told:
        await gateway.submit(command(), "ann", 0.05)
    assert told.value.request_id == "r1"
    assert len(producer.records) == 1
    await asyncio.sleep(0.01)
    assert gateway.waiting == 0


async def test_what_is_handed_over_is_told_once(gateway: CommandGateway, producer: FaultyProducer) -> None:
    """The outcome, or at the deadline that there is none; a caller that fails keeps nobody else waiting."""
    told: list[Outcome | MusterError] = []

    def fail(_: Outcome | MusterError) -> None:
        raise ValueError("the caller's own")

    gateway.hand_over(command("a"), "ann", 5, fail)
    gateway.hand_over(command("b"), "ann", 5, told.append)
    gateway.hand_over(command("c"), "ann", 0.05, told.append)
    await eventually(lambda: producer.records)
    for request in producer.records[0][:2]:
        gateway.on_outcome(outcome(request))
    assert [each.request_id for each in told if isinstance(each, Outcome)] == ["r2"]
    await eventually(lambda: len(told) == 2)
    assert isinstance(told[1], OutcomeUnknownError)
    gateway.on_outcome(outcome(producer.records[0][2]))
    assert len(told) == 2
    assert gateway.waiting == 0


async def test_what_cannot_be_handed_over_is_refused_at_once(gateway: CommandGateway, producer: FaultyProducer) -> None:
    """And never told of."""
    producer.is_up = False
    told: list[Outcome | MusterError] = []
    with pytest.raises(UnavailableError):
        gateway.hand_over(command(), "ann", 1, told.append)
    assert (told, gateway.waiting) == ([], 0)


async def test_when_nothing_was_sent_that_is_certain(gateway: CommandGateway, producer: FaultyProducer) -> None:
    """503 rather than 504: the change is certainly not applied."""
    producer.is_up = False
    with pytest.raises(UnavailableError):
        await gateway.submit(command(), "ann", 0.05)
    assert producer.records == []


async def test_a_lost_record_is_sent_again_under_the_same_ids(
    gateway: CommandGateway, producer: FaultyProducer
) -> None:
    """The worker knows the id, so that a record that landed all the same is not applied twice."""
    producer.failures = 2
    asking = asyncio.create_task(gateway.submit(command(), "ann", 5))
    await eventually(lambda: producer.records)
    gateway.on_outcome(outcome(producer.records[0][0]))
    assert (await asking).request_id == "r1"


async def test_outcomes_missed_by_a_reload_are_asked_for_again(
    gateway: CommandGateway, producer: FaultyProducer
) -> None:
    """The feed may have passed while the view was loaded anew."""
    asking = asyncio.create_task(gateway.submit(command(), "ann", 5))
    await eventually(lambda: producer.records)
    gateway.send_again()
    await eventually(lambda: len(producer.records) == 2)
    assert producer.records[1] == producer.records[0]
    gateway.on_outcome(outcome(producer.records[1][0]))
    await asking


async def test_two_callers_with_one_id_wait_for_one_outcome(gateway: CommandGateway, producer: FaultyProducer) -> None:
    """A retry while the first is under way; another command under the id is refused."""
    asking = [asyncio.create_task(gateway.submit(command(), "ann", 1, "same-id")) for _ in range(2)]
    await eventually(lambda: producer.records)
    with pytest.raises(BadInputError, match="same-id"):
        await gateway.submit(command("other"), "ann", 1, "same-id")
    assert producer.records == [[producer.records[0][0]]]
    gateway.on_outcome(outcome(producer.records[0][0]))
    assert len(await asyncio.gather(*asking)) == 2


async def test_a_repeat_waits_beyond_the_deadline_of_the_first(
    gateway: CommandGateway, producer: FaultyProducer
) -> None:
    """It joined with a deadline of its own, so the outcome must still find it."""
    first = asyncio.create_task(gateway.submit(command(), "ann", 0.05, "same-id"))
    await eventually(lambda: producer.records)
    again = asyncio.create_task(gateway.submit(command(), "ann", 10, "same-id"))
    with pytest.raises(OutcomeUnknownError):
        await first
    await asyncio.sleep(0.02)
    gateway.on_outcome(outcome(producer.records[0][0]))
    assert (await again).request_id == "same-id"


async def test_what_no_record_can_hold_is_refused(gateway: CommandGateway) -> None:
    """Before it is sent, naming the setting."""
    with pytest.raises(TooLargeError, match="MUSTER_KAFKA_RECORD_LIMIT_BYTES"):
        await gateway.submit(command("x" * 3000), "ann", 1)


async def test_many_commands_are_answered_together(gateway: CommandGateway, producer: FaultyProducer) -> None:
    """Each with what came of it, in their order: also one that is too large, and one that is not told in time."""
    large = DeleteResource(ResourceKey("EdgeDeviceSet", "default", "x" * 3000))
    commands = [command("a"), large, command("b"), command("c")]
    asking = asyncio.create_task(gateway.submit_all(commands, "ann", 0.1, ["1", "2", "3", "4"], "because"))
    await eventually(lambda: producer.records)
    ((first, second, third),) = producer.records
    assert [each.message for each in (first, second, third)] == ["because"] * 3
    for revision, request in ((8, second), (7, first)):
        gateway.on_outcome(outcome(request, revision))
    told = await asking
    assert [each.revision for each in told if isinstance(each, Outcome)] == [7, 8]
    assert [type(each) for each in told] == [Outcome, TooLargeError, Outcome, OutcomeUnknownError]


async def test_repeats_among_many_join_what_waits(gateway: CommandGateway, producer: FaultyProducer) -> None:
    """As single ones do."""
    asking = [asyncio.create_task(gateway.submit_all([command("a")], "ann", 1, ["same"])) for _ in range(2)]
    await eventually(lambda: producer.records)
    ((request,),) = producer.records
    gateway.on_outcome(outcome(request, 3))
    assert await asking[0] == await asking[1] == [outcome(request, 3)]
