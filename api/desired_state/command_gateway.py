"""Sends commands to the deciding worker and answers once this process has applied their outcome: read your writes.

Commands that arrive within a window share a record; an idle gateway sends at once. A request that was not acknowledged
is sent again under the same id, which makes that harmless. A caller's repeat under the id of a request that still waits
joins it. At the deadline the outcome is unknown (504), unless it is certain that nothing was sent.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from fleet.decisions.commands import Command, Outcome, Request
from fleet.decisions.repeats import is_repeat
from fleet.errors import BadInputError, MusterError, OutcomeUnknownError, TooLargeError, UnavailableError
from fleet.position import MAX_INDEX
from streams.commands.records import encode_request, join_requests

_WAITING_LIMIT = 20_000
"""Requests a process has under way; a mass enrolment beyond it is told to come again, which devices do anyway."""

_RETRY_PAUSE_S = 0.1

_RECORD_OVERHEAD_BYTES = 16

Told = Callable[[Outcome | MusterError], None]
"""Given the outcome, refused or not, or what to tell instead of one."""

_log = structlog.get_logger(__name__)


class Producer(Protocol):
    """What sends records: `streams.kafka_producer.KafkaProducer`."""

    @property
    def is_up(self) -> bool:
        """Whether a send would be tried."""

    @property
    def value_limit_bytes(self) -> int:
        """The largest value of a record."""

    async def send(self, topic: str, partition: int, value: bytes) -> int:
        """The acknowledged record's offset, or UnavailableError."""


class _Waiting:
    """A request under way, those who wait for its outcome, and whether it may have reached the log."""

    __slots__ = ("deadline_s", "encoded", "is_sent", "outcome", "request", "timer", "told_to")

    timer: asyncio.TimerHandle
    """Ends the waiting. It holds the request, so it goes with the outcome: an import has thousands of them a second."""

    def __init__(self, request: Request, outcome: "asyncio.Future[Outcome]", deadline_s: float) -> None:
        self.request = request
        self.outcome = outcome
        self.deadline_s = deadline_s
        self.encoded = encode_request(request)
        self.is_sent = False
        self.told_to: Told | None = None

    def tell(self, outcome: Outcome | MusterError) -> None:
        """To the one who handed it over."""
        if self.told_to is None:
            return
        try:
            self.told_to(outcome)
        except Exception:  # noqa: BLE001 - one caller's trouble must not keep the others waiting
            _log.exception("the outcome of a change could not be told", request_id=self.request.request_id)

    def told(self) -> Outcome | MusterError:
        """The outcome, or what to tell instead of one at the deadline."""
        return self.outcome.result() if self.outcome.done() else self.without_outcome()

    def without_outcome(self) -> MusterError:
        """What to tell at the deadline."""
        if not self.is_sent:
            return UnavailableError("Kafka did not take the change: try again")
        request_id = self.request.request_id
        return OutcomeUnknownError(
            f"the change was sent but its outcome is not known yet: repeat it with Muster-Request-Id {request_id}, "
            "which applies it once at most",
            request_id,
        )


class CommandGateway:
    """Commands of one process. `wall_clock_ms` gives Unix time, `new_request_id` a fresh id."""

    def __init__(
        self,
        producer: Producer,
        topic: str,
        *,
        window_s: float,
        wall_clock_ms: Callable[[], int],
        new_request_id: Callable[[], str],
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._window_s = window_s
        self._wall_clock_ms = wall_clock_ms
        self._new_request_id = new_request_id
        self._waiting: dict[str, _Waiting] = {}
        self._collected: list[_Waiting] = []
        self._next_send_s = 0.0
        self._sendings: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """Requests whose outcome is awaited."""
        return len(self._waiting)

    async def submit(
        self, command: Command, author: str, deadline_s: float, request_id: str | None = None, message: str = ""
    ) -> Outcome:
        """The outcome, refused or not, once this process has applied it. `message` says why the change is made.

        Raises UnavailableError when nothing was sent, OutcomeUnknownError at the deadline, TooLargeError, and
        BadInputError when the request id stands for another command that is under way.
        """
        request = Request(request_id or self._new_request_id(), author, self._wall_clock_ms(), command, message)
        waiting = self._join(request, deadline_s)
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.shield(waiting.outcome)
        except TimeoutError:
            raise waiting.without_outcome() from None

    def hand_over(self, command: Command, author: str, deadline_s: float, told: Told) -> None:
        """As `submit` under a fresh id, without a task: `told` is called once. Raises what refuses it at once."""
        request = Request(self._new_request_id(), author, self._wall_clock_ms(), command, "")
        self._enter(request, asyncio.get_running_loop(), deadline_s).told_to = told

    async def submit_all(
        self,
        commands: Sequence[Command],
        author: str,
        deadline_s: float,
        request_ids: Sequence[str] = (),
        message: str = "",
    ) -> list[Outcome | MusterError]:
        """What came of each of many commands, in their order: as `submit`, without a task for each."""
        now_ms = self._wall_clock_ms()
        ids = request_ids or [self._new_request_id() for _ in commands]
        joined: list[_Waiting | MusterError] = []
        for request_id, command in zip(ids, commands, strict=True):
            try:
                joined.append(self._join(Request(request_id, author, now_ms, command, message), deadline_s))
            except MusterError as error:
                joined.append(error)
        outcomes = [each.outcome for each in joined if isinstance(each, _Waiting)]
        if outcomes:
            await asyncio.wait(outcomes, timeout=deadline_s)
        return [each.told() if isinstance(each, _Waiting) else each for each in joined]

    def on_outcome(self, outcome: Outcome) -> None:
        """An outcome was applied to this process's view."""
        waiting = self._waiting.pop(outcome.request_id, None)
        if waiting is None:
            return
        waiting.timer.cancel()
        if not waiting.outcome.done():
            waiting.outcome.set_result(outcome)
        waiting.tell(outcome)

    def send_again(self) -> None:
        """Outcomes may have been missed: ask for those still awaited, which the worker answers from its record."""
        collected = {id(waiting) for waiting in self._collected}
        self._collected.extend(waiting for waiting in self._waiting.values() if id(waiting) not in collected)
        self._send()

    async def drain(self, within_s: float) -> None:
        """Send what is collected and wait until the log has it."""
        self._send()
        if self._sendings:
            await asyncio.wait(self._sendings, timeout=within_s)

    def _join(self, request: Request, deadline_s: float) -> _Waiting:
        """Enter a request, or join the one under way of the same id."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting.get(request.request_id)
        if waiting is None:
            return self._enter(request, loop, deadline_s)
        if not is_repeat(waiting.request.command, request.command):
            raise BadInputError(f"Muster-Request-Id {request.request_id} is in use for another change: choose a new id")
        waiting.deadline_s = max(waiting.deadline_s, loop.time() + deadline_s)
        return waiting

    def _enter(self, request: Request, loop: asyncio.AbstractEventLoop, deadline_s: float) -> _Waiting:
        if not self._producer.is_up:
            raise UnavailableError("Kafka is not reachable: try again")
        if len(self._waiting) >= _WAITING_LIMIT:
            raise UnavailableError(f"{_WAITING_LIMIT} changes are under way: try again")
        waiting = _Waiting(request, loop.create_future(), loop.time() + deadline_s)
        if len(waiting.encoded) + _RECORD_OVERHEAD_BYTES > self._producer.value_limit_bytes:
            raise TooLargeError(
                f"the change has {len(waiting.encoded)} bytes and no record holds it (MUSTER_KAFKA_RECORD_LIMIT_BYTES)"
            )
        self._waiting[request.request_id] = waiting
        waiting.timer = loop.call_at(waiting.deadline_s, self._forget, waiting)
        self._collected.append(waiting)
        if len(self._collected) == 1:
            loop.call_at(max(self._next_send_s, loop.time()), self._send)
        return waiting

    def _forget(self, waiting: _Waiting) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < waiting.deadline_s:
            # A repeat has joined since, and waits longer.
            waiting.timer = loop.call_at(waiting.deadline_s, self._forget, waiting)
            return
        if self._waiting.get(waiting.request.request_id) is waiting:
            del self._waiting[waiting.request.request_id]
            waiting.tell(waiting.without_outcome())

    def _send(self) -> None:
        loop = asyncio.get_running_loop()
        collected, self._collected = self._collected, []
        self._next_send_s = loop.time() + self._window_s
        while collected:
            count = self._fitting(collected)
            task = loop.create_task(self._deliver(collected[:count]))
            self._sendings.add(task)
            task.add_done_callback(self._sendings.discard)
            collected = collected[count:]

    def _fitting(self, collected: list[_Waiting]) -> int:
        """How many of the first fit into one record; at least one, which was checked when it came."""
        size_bytes = _RECORD_OVERHEAD_BYTES
        for count, waiting in enumerate(collected):
            size_bytes += len(waiting.encoded)
            if count > MAX_INDEX or (count and size_bytes > self._producer.value_limit_bytes):
                return count
        return len(collected)

    async def _deliver(self, batch: list[_Waiting]) -> None:
        value = join_requests([waiting.encoded for waiting in batch])
        while asyncio.get_running_loop().time() < max(waiting.deadline_s for waiting in batch):
            if self._producer.is_up:
                for waiting in batch:
                    waiting.is_sent = True
            try:
                await self._producer.send(self._topic, 0, value)
            except UnavailableError:
                await asyncio.sleep(_RETRY_PAUSE_S)
            else:
                return
