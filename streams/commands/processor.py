"""Decides the command log without a gap, stores each outcome once and publishes it: the deciding worker without Faust.

The order is events, decisions, feed; only then may the caller commit. A command at or below the last stored revision
is answered from what is stored and never decided again. Where the log is to be gone on with is told by the stored
revisions alone: a committed offset that ran ahead (Faust's issue 606) only means that what is missing is read anew.

Two workers may be alive for a moment after a rebalance. Of each revision the row stored first counts, so after storing
a batch this reads back whose rows count: if another worker was first, its outcomes are what is published, and the own
state is loaded anew. Before deciding it looks whether another worker has gone on meanwhile, unless reading the last
batch back has just said that none had: while many commands come, that look would be a third of what they cost.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

import msgspec
import structlog

from fleet.collection_pause import collection_paused
from fleet.decisions.commands import Outcome, Request
from fleet.decisions.decider import Decider, Decision
from fleet.position import MAX_INDEX, Position, pack_sequence, unpack_sequence
from streams.commands.decision_store import DecisionRules, DecisionStore
from streams.commands.feed_publisher import FeedPublisher
from streams.commands.records import decode_requests
from streams.commands.source import CommandRecord, CommandSource
from streams.dead_letters import DeadLetters

_TOGETHER_BYTES: Final = 8_000_000
"""Commands decided and stored together; more would only take memory."""

_LOOKED_LATELY_S: Final = 0.25
"""For so long after reading back nobody is taken to have gone on: about as long as a batch is under way on a busy
machine, in which nobody looks either. What another worker stores meanwhile is found by reading back."""

_log = structlog.get_logger(__name__)

Step = Literal["decided", "events stored", "decisions stored", "published"]


class CommandProcessor:
    """One run of the deciding worker.

    `epoch` is that of the commands topic, `feed_retention_ms` how long the feed keeps a record; `reached` is told each
    step as it ends. `clock` gives seconds of a steady clock.
    """

    def __init__(
        self,
        store: DecisionStore,
        feed: FeedPublisher,
        source: CommandSource,
        *,
        rules: DecisionRules,
        epoch: int,
        feed_retention_ms: int,
        dead_letters: DeadLetters,
        reached: Callable[[Step], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._feed = feed
        self._source = source
        self._rules = rules
        self._epoch = epoch
        self._feed_retention_ms = feed_retention_ms
        self._dead_letters = dead_letters
        self._reached = reached
        self._clock = clock
        self._alone_until_s = 0.0
        self._decider: Decider | None = None

    async def load(self) -> Decider:
        """Take the state from ClickHouse, and publish what was stored but may not have been published."""
        self._decider = None
        decider = await self._store.load(self._rules)
        first = await self._first_unpublished()
        if first is not None and first <= decider.revision:
            await self._answer_again(first, decider.revision)
        _log.info("desired state loaded", revision=decider.revision, devices=len(decider.state.identities))
        self._decider = decider
        return decider

    def forget(self) -> None:
        """Drop the state after a failure, since it may be ahead of what is stored; it is loaded when needed."""
        self._decider = None
        self._alone_until_s = 0.0

    async def process(self, records: Sequence[CommandRecord]) -> None:
        """Answer these records, which follow each other in the log; when this returns they may be acknowledged."""
        for portion in _portions(records):
            remaining = portion
            while remaining:
                remaining = await self._advance(remaining)

    async def _advance(self, records: Sequence[CommandRecord]) -> Sequence[CommandRecord]:
        """Answer some of the records, or of those missing before them; what is left to answer."""
        decider = self._decider or await self.load()
        if self._clock() >= self._alone_until_s:
            stored = await self._store.last_revision()
            if stored != decider.revision:
                _log.warning("another worker has decided meanwhile", own=decider.revision, stored=stored)
                decider = await self.load()
        next_offset = self._next_offset(decider.revision)
        known = [record for record in records if record.offset < next_offset]
        if known:
            await self._answer_again(
                pack_sequence(self._epoch, known[0].offset, 0),
                pack_sequence(self._epoch, known[-1].offset, MAX_INDEX),
            )
            return records[len(known) :]
        if records[0].offset > next_offset:
            missing = await self._source.read(next_offset, records[0].offset, _TOGETHER_BYTES)
            if missing:
                _log.warning("commands were passed over: deciding them now", offset=next_offset, count=len(missing))
                await self._decide(decider, missing)
                return records
            _log.error("commands are lost: the topic no longer has them", first=next_offset, next=records[0].offset)
        return [] if await self._decide(decider, records) else records

    async def _decide(self, decider: Decider, records: Sequence[CommandRecord]) -> bool:
        """Whether what this worker decided counts; otherwise the state is that which another one left."""
        with collection_paused():
            decisions = [decision for record in records for decision in self._decisions(decider, record)]
        await self._put_aside_failures(records, decisions)
        self._reached("decided")
        await self._store.insert_events(decisions)
        self._reached("events stored")
        await self._store.insert_decisions(decisions)
        self._reached("decisions stored")
        foreign, is_last = await self._store.settlement([decision.revision for decision in decisions])
        self._alone_until_s = self._clock() + _LOOKED_LATELY_S if is_last and not foreign else 0.0
        if foreign:
            _log.warning("another worker was first to decide", first=foreign[0], last=foreign[-1], count=len(foreign))
            await self.load()
            return False
        await self._feed.publish(await self._outcomes(decisions))
        self._reached("published")
        return True

    def _decisions(self, decider: Decider, record: CommandRecord) -> list[Decision]:
        requests = _read(record.value)
        if isinstance(requests, str):
            revision = pack_sequence(self._epoch, record.offset, 0)
            return [decider.skip(revision, record.received_at_ms, requests)]
        return [
            decider.decide(request, pack_sequence(self._epoch, record.offset, index), record.received_at_ms)
            for index, request in enumerate(requests)
        ]

    async def _put_aside_failures(self, records: Sequence[CommandRecord], decisions: Sequence[Decision]) -> None:
        reasons = {
            unpack_sequence(decision.revision)[1]: decision.failure for decision in decisions if decision.failure
        }
        for record in records:
            reason = reasons.get(record.offset)
            if reason is not None:
                position = Position(self._epoch, 0, record.offset, 0)
                await self._dead_letters.put(self._source.topic, position, record.value, reason)

    async def _outcomes(self, decisions: Sequence[Decision]) -> list[tuple[int, Outcome]]:
        """Each decision's place and outcome; a retry's is that of the first request, maybe long ago."""
        outcomes = {decision.revision: decision.outcome for decision in decisions if decision.outcome}
        missing = sorted({decision.first_revision for decision in decisions} - outcomes.keys())
        outcomes |= await self._store.outcomes_at(missing)
        return [(decision.revision, outcomes[decision.first_revision]) for decision in decisions]

    async def _answer_again(self, first: int, last: int) -> None:
        while outcomes := await self._store.outcomes_between(first, last):
            await self._feed.publish(outcomes)
            first = outcomes[-1][0] + 1

    async def _first_unpublished(self) -> int | None:
        """From where on outcomes may not have been published.

        An empty feed holds nothing of its last days: what was stored in that time has never been published.
        """
        published = await self._feed.last_position()
        if published is not None:
            return published + 1
        return await self._store.first_stored_within(self._feed_retention_ms, pack_sequence(self._epoch, 0, 0))

    def _next_offset(self, revision: int) -> int:
        epoch, offset, _ = unpack_sequence(revision)
        return offset + 1 if epoch == self._epoch else 0


def _read(value: bytes) -> list[Request] | str:
    """The requests of a record, or why it has none."""
    try:
        requests = decode_requests(value)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"this record cannot be read: {error}"
    if not 0 < len(requests) <= MAX_INDEX + 1:
        return f"this record holds {len(requests)} requests, not 1 to {MAX_INDEX + 1}"
    return requests


def _portions(records: Sequence[CommandRecord]) -> Iterator[Sequence[CommandRecord]]:
    start = size_bytes = 0
    for index, record in enumerate(records):
        if index > start and size_bytes + len(record.value) > _TOGETHER_BYTES:
            yield records[start:index]
            start, size_bytes = index, 0
        size_bytes += len(record.value)
    yield records[start:]
