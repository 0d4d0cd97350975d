"""Decides the command log one request after the other and remembers which requests were decided where.

A `Decider` stands at a revision. What it answers depends on the log up to there and on the limits alone: decided again
from the start, or from a state loaded midway, the same requests have the same outcomes.
"""

from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from fleet.decisions.change_message import change_message
from fleet.decisions.commands import Outcome, Request
from fleet.decisions.decide import decide
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Limits


class Decision(msgspec.Struct, frozen=True):
    """What stands at one place of the command log.

    `outcome` is None when the request is a retry: its outcome is the one at `first_revision`. `received_at_ms` is the
    broker's time, Unix milliseconds. `failure` tells an operator of a request that broke a rule's code. `message` says
    why the change was made.
    """

    revision: int
    first_revision: int
    request_id: str
    received_at_ms: int
    outcome: Outcome | None
    failure: str = ""
    message: str = ""


class DecidedRequests:
    """The last `limit` request ids and the revision each was decided at, so that a retry is not decided again."""

    def __init__(self, limit: int, decided: Iterable[tuple[str, int]] = ()) -> None:
        self._limit = limit
        self._revisions: OrderedDict[str, int] = OrderedDict()
        for request_id, revision in decided:
            self.remember(request_id, revision)

    def revision_of(self, request_id: str) -> int | None:
        """Where a request was first decided, if that is remembered. An empty id is nobody's."""
        return self._revisions.get(request_id)

    def remember(self, request_id: str, revision: int) -> None:
        """Note a request's first decision, and forget the oldest beyond the limit."""
        if not request_id:
            return
        self._revisions[request_id] = revision
        if len(self._revisions) > self._limit:
            self._revisions.popitem(last=False)


class Decider:
    """The state at `revision`, the last place of the log that is decided, and the requests decided before."""

    def __init__(self, state: FleetState, requests: DecidedRequests, limits: Limits, revision: int) -> None:
        self.state = state
        self.revision = revision
        self._requests = requests
        self._limits = limits

    def decide(self, request: Request, revision: int, received_at_ms: int) -> Decision:
        """Decide the request at the next revision and apply what it changes."""
        if revision <= self.revision:
            raise ValueError(f"revision {revision} is decided already: this is at {self.revision}")
        self.revision = revision
        first_revision = self._requests.revision_of(request.request_id)
        if first_revision is not None:
            return Decision(revision, first_revision, request.request_id, received_at_ms, None)
        failure = message = ""
        try:
            message = change_message(self.state, request)
            outcome = decide(self.state, request, revision, self._limits)
        except Exception as error:  # noqa: BLE001 - one request that no rule foresaw must not stop all others
            failure = f"{type(error).__name__}: {error}"
            outcome = _refusal(request, revision, "this request cannot be decided; it is among the dead letters")
        self.state.apply_outcome(outcome)
        self._requests.remember(request.request_id, revision)
        return Decision(revision, revision, request.request_id, received_at_ms, outcome, failure, message)

    def skip(self, revision: int, received_at_ms: int, reason: str) -> Decision:
        """Account for a record that holds no requests that can be read."""
        self.revision = revision
        outcome = Outcome(revision, "", "", received_at_ms, "invalid", reason, [], [])
        self.state.apply_outcome(outcome)
        return Decision(revision, revision, "", received_at_ms, outcome, reason)


def _refusal(request: Request, revision: int, message: str) -> Outcome:
    return Outcome(revision, request.request_id, request.author, request.issued_at_ms, "invalid", message, [], [])
