"""The deciding worker's way to ClickHouse: each step in a thread, repeated in place until it succeeds.

An exception that left the agent's loop would acknowledge nothing and end the worker, while every step here is
idempotent; so a database that is away for a while only makes the log wait. The worker's watchdog bounds that.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import stamina
from clickhouse_connect.driver import Client

from fleet.decisions.commands import Outcome
from fleet.decisions.decider import DecidedRequests, Decider, Decision
from fleet.decisions.event_rows import event_rows
from fleet.decisions.verdict import Limits
from storage.decisions import (
    Settlement,
    first_stored_within,
    insert_decisions,
    last_requests,
    last_revision,
    load_state,
    outcomes_at,
    outcomes_between,
    settlement,
)
from storage.device_events import DEVICE_EVENTS
from storage.table import insert_rows

_LONGEST_PAUSE_S = 5.0

Answer = TypeVar("Answer")


class DecisionRules(NamedTuple):
    """What a decider is made with besides its state. `remembered_requests` counts request ids."""

    initial_namespace: str
    remembered_requests: int
    limits: Limits


class DecisionStore:
    """Reads and writes `decisions` for one run of the deciding worker, which `decider_id` names."""

    def __init__(self, client: Client, decider_id: str) -> None:
        self._client = client
        self._decider_id = decider_id

    async def load(self, rules: DecisionRules) -> Decider:
        """A decider at the last stored revision."""
        return await _until_done(lambda: self._load(rules))

    async def last_revision(self) -> int:
        """The last place of the log that is decided, by whomever."""
        return await _until_done(lambda: last_revision(self._client))

    async def first_stored_within(self, duration_ms: int, first: int) -> int | None:
        """The first place of the log, not before `first`, that was decided within that time before now."""
        return await _until_done(lambda: first_stored_within(self._client, duration_ms, first))

    async def insert_events(self, decisions: Sequence[Decision]) -> None:
        """Store the events of a batch, before its decisions: who reads a decision finds its events."""
        rows = list(event_rows(decisions))
        if rows:
            await _until_done(lambda: insert_rows(self._client, DEVICE_EVENTS, rows))

    async def insert_decisions(self, decisions: Sequence[Decision]) -> None:
        """Store a batch."""
        await _until_done(lambda: insert_decisions(self._client, decisions, self._decider_id))

    async def settlement(self, revisions: Sequence[int]) -> Settlement:
        """Whether this worker's rows count at the revisions of a batch: another one may have stored some before."""
        return await _until_done(lambda: settlement(self._client, revisions, self._decider_id))

    async def outcomes_between(self, first: int, last: int) -> list[tuple[int, Outcome]]:
        """The next places of the log from first to last with their outcomes, a thousand at most.

        A retry's outcome is that of the first request, maybe long ago.
        """
        rows = await _until_done(lambda: outcomes_between(self._client, first, last))
        outcomes = {row.revision: row.outcome for row in rows if row.outcome is not None}
        outcomes |= await self.outcomes_at(sorted({row.first_revision for row in rows} - outcomes.keys()))
        return [(row.revision, outcomes[row.first_revision]) for row in rows]

    async def outcomes_at(self, revisions: Sequence[int]) -> dict[int, Outcome]:
        """The outcomes of requests by where they were decided."""
        if not revisions:
            return {}
        return await _until_done(lambda: outcomes_at(self._client, revisions))

    def _load(self, rules: DecisionRules) -> Decider:
        state = load_state(self._client, rules.initial_namespace)
        decided = last_requests(self._client, state.revision, rules.remembered_requests)
        requests = DecidedRequests(rules.remembered_requests, decided)
        return Decider(state, requests, rules.limits, state.revision)


async def _until_done(step: Callable[[], Answer]) -> Answer:
    async for attempt in stamina.retry_context(on=Exception, attempts=None, timeout=None, wait_max=_LONGEST_PAUSE_S):
        with attempt:
            return await asyncio.to_thread(step)
    raise AssertionError("retries without a bound end only in an answer")
