"""Whatever order things happen in, no reader goes back and no outcome changes.

Two deciding workers over one command log, with crashes after each step, replays, passed-over records and retries; a
feed that is cut off; two API processes that start, follow, fall behind and load anew. Decisions, publishing and reading
are the real ones; ClickHouse and Kafka are lists, since thousands of orders are tried.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import structlog
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from api.desired_state.fleet_view import FleetView
from api.devices.configurations import Configurations
from fleet.decisions.commands import (
    Command,
    DeleteResource,
    EnrolDevice,
    FinishDeletion,
    JSONObject,
    Outcome,
    PreauthoriseDevice,
    ProveKey,
    PutResource,
    RegisterDevice,
    Request,
    ResourceKey,
    SetHardwareLabels,
)
from fleet.decisions.decider import DecidedRequests, Decider, Decision
from fleet.decisions.signed_request import API_VERSION
from fleet.decisions.state import FleetState
from fleet.decisions.state_load import load_columns
from fleet.decisions.verdict import Limits
from fleet.devices.states import DeviceState
from fleet.errors import UnavailableError
from fleet.sealing import KeyRing
from storage.decisions import Settlement
from streams.commands.decision_store import DecisionRules
from streams.commands.feed_records import decode_outcomes, decode_position, encode_outcomes
from streams.commands.processor import CommandProcessor, Step
from streams.commands.records import encode_requests
from streams.commands.source import CommandRecord

EPOCH = 1
KEY = bytes(32)
RULES = DecisionRules("default", 1000, Limits(pending_limit=2, pending_expiry_ms=1_000))
KINDS = ("EdgeDevice", "EdgeDeviceSignedRequest", "EdgeWorkload", "EdgeDeviceSet", "ConfigMap", "Namespace")
DEVICES = st.sampled_from(["d1", "d2", "d3"])
SELECTORS: tuple[JSONObject, ...] = (
    {"matchLabels": {"region": "north"}},
    {"matchLabels": {"device.hostname": "h1"}},
    {},
)
STEPS: tuple[Step | None, ...] = (None, None, "decided", "events stored", "decisions stored", "published")


class CrashError(Exception):
    """The worker ends here."""


class Store:
    """`decisions`: of a revision the row stored first counts."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[Decision, str]] = {}
        self._begun: set[int] = set()

    def insert(self, decisions: Sequence[Decision], decider: str) -> None:
        """A batch that begins where another one began is dropped whole."""
        if decisions[0].revision not in self._begun:
            self._begun.add(decisions[0].revision)
            for decision in decisions:
                self.rows.setdefault(decision.revision, (decision, decider))

    def outcome(self, revision: int) -> Outcome:
        """What counts there; a retry's is the first request's."""
        decision, _ = self.rows[revision]
        return decision.outcome or self.outcome(decision.first_revision)

    def state(self, until: int | None = None) -> FleetState:
        """As `load_state` makes it: of each resource the newest row, in no particular order."""
        newest: dict[ResourceKey, tuple[int, Any]] = {}
        last = 0
        for revision in sorted(self.rows):
            decision = self.rows[revision][0]
            if until is not None and revision > until:
                break
            last = revision
            if decision.outcome is not None and decision.outcome.result == "accepted":
                newest |= {change.key: (revision, change) for change in decision.outcome.changes}
        state = FleetState("default")
        rows = [
            (change.key.kind, change.key.namespace, change.key.name, msgspec.json.encode(change.body), revision)
            for revision, change in reversed(newest.values())
            if change.body is not None
        ]
        if rows:
            load_columns(state, *zip(*rows, strict=True))
        state.settle()
        state.revision = last
        return state


class WorkerStore:
    """The store as one worker has it."""

    def __init__(self, store: Store, decider: str) -> None:
        self._store = store
        self._decider = decider

    async def load(self, rules: DecisionRules) -> Decider:
        """A decider at the last stored revision."""
        state = self._store.state()
        decided = [
            (decision.request_id, revision)
            for revision, (decision, _) in sorted(self._store.rows.items())
            if decision.first_revision == revision and decision.request_id
        ][-rules.remembered_requests :]
        return Decider(state, DecidedRequests(rules.remembered_requests, decided), rules.limits, state.revision)

    async def last_revision(self) -> int:
        """By whomever."""
        return max(self._store.rows, default=0)

    async def first_stored_within(self, _: int, first: int) -> int | None:
        """All of it is of today."""
        return min((revision for revision in self._store.rows if revision >= first), default=None)

    async def insert_events(self, _: Sequence[Decision]) -> None:
        """Nobody reads them here."""

    async def insert_decisions(self, decisions: Sequence[Decision]) -> None:
        """Store a batch."""
        self._store.insert(decisions, self._decider)

    async def settlement(self, revisions: Sequence[int]) -> Settlement:
        """Those at which another one's row counts, or none is stored, and whether these are the last."""
        own = {revision for revision in revisions if self._store.rows.get(revision, (None, ""))[1] == self._decider}
        unsettled = [revision for revision in revisions if revision not in own]
        return Settlement(unsettled, max(self._store.rows) == revisions[-1])

    async def outcomes_between(self, first: int, last: int) -> list[tuple[int, Outcome]]:
        """A few at a time."""
        found = [revision for revision in sorted(self._store.rows) if first <= revision <= last]
        return [(revision, self._store.outcome(revision)) for revision in found[:3]]

    async def outcomes_at(self, revisions: Sequence[int]) -> dict[int, Outcome]:
        """By where they were decided."""
        return {revision: self._store.outcome(revision) for revision in revisions}


class Feed:
    """Records, of which those before `begin` are cut off."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.begin = 0

    async def publish(self, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """In records of two outcomes."""
        for start in range(0, len(outcomes), 2):
            part = outcomes[start : start + 2]
            self.records.append(encode_outcomes([outcome for _, outcome in part], part[-1][0]))

    async def last_position(self) -> int | None:
        """None when nothing is left."""
        return decode_position(self.records[-1]) if len(self.records) > self.begin else None


class Source:
    """The command log."""

    topic = "commands"

    def __init__(self) -> None:
        self.records: list[CommandRecord] = []

    async def read(self, first: int, end: int, _limit_bytes: int) -> list[CommandRecord]:
        """Two at most."""
        return self.records[first:end][:2]


class Reader:
    """An API process: a view, a place in the feed, and what it told its callers."""

    def __init__(self) -> None:
        self.view = FleetView("default", 60, lambda: 0.0)
        self.place: int | None = None
        self.noted = 0
        self.told: dict[str, Outcome] = {}
        self.view.watch(self._tell)
        self.configurations = Configurations(
            self.view, KeyRing({"k": KEY}, "k", KEY), KEY, 3, on_failure=lambda: None, report=lambda _: None
        )
        self.highest = self.seen_loads = -1

    def _tell(self, outcome: Outcome) -> None:
        assert self.told.setdefault(outcome.request_id, outcome) == outcome, "an outcome changed"

    def follow(self, feed: Feed, count: int) -> None:
        """Apply the next records."""
        assert self.place is not None
        for value in feed.records[self.place : self.place + count]:
            for outcome in decode_outcomes(value):
                self.view.apply(outcome)
            self.place += 1


def dumped(state: FleetState) -> Any:
    """All that a state says."""
    resources = {
        (kind, namespace, name): (held.revision, held.body)
        for kind in KINDS
        for namespace in state.namespaces_with(kind)
        for name, held in state.resources(kind, namespace).items()
    }
    return resources, dict(state.identities), state.pending_count, state.deleting, state.revision


class NoReaderGoesBack(RuleBasedStateMachine):
    """The orders."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.source, self.store, self.feed = Source(), Store(), Feed()
        self.workers = [self._worker(name) for name in "ab"]
        self.readers = [Reader(), Reader()]
        self.requests: list[Request] = []
        self.crash_after: Step | None = None
        self.loop = asyncio.new_event_loop()

    def teardown(self) -> None:
        """The end of one order."""
        self.loop.close()

    def _worker(self, name: str) -> CommandProcessor:
        return CommandProcessor(
            cast("Any", WorkerStore(self.store, f"{name}-{len(self.store.rows)}-{id(object())}")),
            cast("Any", self.feed),
            cast("Any", self.source),
            rules=RULES._replace(limits=Limits(pending_limit=2 if name == "a" else 1, pending_expiry_ms=1_000)),
            epoch=EPOCH,
            feed_retention_ms=1,
            dead_letters=cast("Any", None),
            reached=self._reached,
            clock=lambda: self.now_s,
        )

    def _reached(self, step: Step) -> None:
        if step == self.crash_after:
            raise CrashError

    def _log(self, *commands: Command) -> None:
        asked = [Request(f"r{len(self.requests) + n}", "ann", 1, command) for n, command in enumerate(commands)]
        self.requests += asked
        self._append(asked)

    def _append(self, asked: list[Request]) -> None:
        offset = len(self.source.records)
        self.source.records.append(CommandRecord(offset, 100 * offset, encode_requests(asked)))

    @rule(device=DEVICES, is_auto_approved=st.booleans())
    def enrol(self, device: str, is_auto_approved: bool) -> None:  # noqa: FBT001 - drawn by name
        """A device asks."""
        self._log(EnrolDevice(device, "default", {"hardware": {"hostname": device}}, is_auto_approved, "u", "du"))

    @rule(device=DEVICES, region=st.sampled_from(["north", "south"]))
    def join(self, device: str, region: str) -> None:
        """A device is approved beforehand, registers and proves its key."""
        self._log(PreauthoriseDevice(device, "default", "kiosks", {"region": region}, "u", "du"))
        self._log(RegisterDevice(device, "default", "aa" * 32, {}), ProveKey(device, "default", "aa" * 32))

    @rule(device=DEVICES, host=st.sampled_from(["h1", "h2"]))
    def relabel(self, device: str, host: str) -> None:
        """Hardware earns a device another label."""
        self._log(SetHardwareLabels(device, "default", {"device.hostname": host}))

    @rule(device=DEVICES, region=st.sampled_from(["north", "south"]), period_s=st.sampled_from([None, 5, 6]))
    def edit(self, device: str, region: str, period_s: int | None) -> None:
        """An operator changes a device itself, unless it is there no more."""
        metadata = {"name": device, "namespace": "default", "labels": {"region": region}}
        spec = {"heartbeat": {"periodSeconds": period_s}} if period_s else {}
        body = {"apiVersion": API_VERSION, "kind": "EdgeDevice", "metadata": metadata, "spec": spec}
        self._log(PutResource(ResourceKey("EdgeDevice", "default", device), body, "replace", "u"))

    @rule(device=DEVICES)
    def delete(self, device: str) -> None:
        """A device is deleted, and reports that it is stripped."""
        self._log(
            DeleteResource(ResourceKey("EdgeDevice", "default", device)),
            FinishDeletion(device, "default"),
            DeleteResource(ResourceKey("EdgeDeviceSignedRequest", "default", device)),
        )

    @rule(
        kind=st.sampled_from(["EdgeWorkload", "EdgeDeviceSet", "ConfigMap"]),
        number=st.integers(1, 3),
        selector=st.sampled_from(
            [{"matchLabels": {"region": "north"}}, {"matchLabels": {"device.hostname": "h1"}}, {}]
        ),
        is_named=st.booleans(),
    )
    def put(self, kind: str, number: int, selector: dict[str, Any], is_named: bool) -> None:  # noqa: FBT001 - as above
        """A shared resource changes."""
        container = {"name": "c", "image": f"i:{number}", "envFrom": [{"configMapRef": {"name": "web"}}]}
        spec: dict[str, Any] = {"type": "pod", "deviceSelector": selector, "pod": {"spec": {"containers": [container]}}}
        content: dict[str, Any] = {
            "EdgeWorkload": {"spec": spec | ({"device": "d2"} if is_named else {})},
            "EdgeDeviceSet": {"spec": {"heartbeat": {"periodSeconds": 10 * number}}},
            "ConfigMap": {"data": {"n": str(number)}},
        }[kind]
        name = "kiosks" if kind == "EdgeDeviceSet" else "web"
        metadata = {"name": name, "namespace": "default"}
        body = {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, **content}
        self._log(PutResource(ResourceKey(kind, "default", name), body, "upsert", "u"))

    @rule(kind=st.sampled_from(["EdgeWorkload", "ConfigMap"]))
    def remove(self, kind: str) -> None:
        """One is deleted."""
        self._log(DeleteResource(ResourceKey(kind, "default", "web")))

    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """A caller was not told, and sends the same again."""
        if self.requests:
            self._append([data.draw(st.sampled_from(self.requests))])

    @rule(
        worker=st.integers(0, 1),
        first=st.integers(0, 6),
        count=st.integers(1, 6),
        crash_after=st.sampled_from(STEPS),
        after_s=st.sampled_from([0.0, 1.0]),
    )
    def work(self, worker: int, first: int, count: int, crash_after: Step | None, after_s: float) -> None:
        """A worker takes records, at once or after a while: some again, some that it should not have come to yet."""
        self.now_s += after_s
        end = len(self.source.records)
        records = self.source.records[max(0, end - first) :][:count]
        if not records:
            return
        self.crash_after = crash_after
        try:
            self.loop.run_until_complete(self.workers[worker].process(records))
        except CrashError:
            self.workers[worker].forget()
        self.crash_after = None

    @rule(worker=st.integers(0, 1), reader=st.integers(0, 1))
    def catch_up(self, worker: int, reader: int) -> None:
        """Nothing is left to decide, and one process has applied all of it."""
        if self.source.records:
            self.loop.run_until_complete(self.workers[worker].process(self.source.records[-1:]))
        for _ in range(2):
            self.follow(reader, len(self.feed.records))

    @rule(worker=st.integers(0, 1))
    def restart_worker(self, worker: int) -> None:
        """As another one."""
        self.workers[worker] = self._worker("ab"[worker])
        self.loop.run_until_complete(self.workers[worker].load())

    @rule(share=st.sampled_from([0.5, 1.0]))
    def cut_feed_off(self, share: float) -> None:
        """Retention."""
        self.feed.begin = max(self.feed.begin, int(len(self.feed.records) * share))

    @rule(reader=st.integers(0, 1))
    def start_reader(self, reader: int) -> None:
        """A new process notes the feed's end; it loads later."""
        self.readers[reader] = Reader()
        self.readers[reader].noted = len(self.feed.records)

    @rule(reader=st.integers(0, 1), count=st.integers(1, 8))
    def follow(self, reader: int, count: int) -> None:
        """A process loads, goes on, or loads anew when its place is cut off."""
        process = self.readers[reader]
        if process.place is not None and process.place < self.feed.begin:
            process.place, process.noted = None, len(self.feed.records)
        if process.place is None:
            process.view.replace(self.store.state())
            process.place = process.noted
            if process.place < self.feed.begin:
                return
        process.follow(self.feed, count)

    @invariant()
    def nobody_goes_back(self) -> None:
        """Each process is exactly where the log was at some revision, and never before one it was at."""
        for reader in self.readers:
            if reader.place is None:
                continue
            state = reader.view.state
            assert state.revision >= reader.highest
            if (reader.view.loads, state.revision) == (reader.seen_loads, reader.highest):
                continue
            reader.seen_loads, reader.highest = reader.view.loads, state.revision
            expected = self.store.state(state.revision)
            assert dumped(state) == dumped(expected)
            self._same_configurations(reader, expected)

    def _same_configurations(self, reader: Reader, expected: FleetState) -> None:
        """As of that revision, whether they were assembled before or not."""
        fresh = Reader()
        fresh.view.replace(expected)
        for device_id, identity in expected.identities.items():
            if identity.state in (DeviceState.REGISTERED, DeviceState.DELETING):
                held = reader.view.identity(device_id)
                assert held is not None
                answer = _answer(fresh, identity)
                settled = reader.configurations.settled(device_id, identity.namespace)
                assert settled is None or settled.for_device(device_id) == answer
                assert _answer(reader, held) == answer

    @invariant()
    def outcomes_stay(self) -> None:
        """What anybody was told is what is stored."""
        for reader in self.readers:
            for outcome in reader.told.values():
                assert self.store.outcome(outcome.revision) == outcome


def _answer(reader: Reader, identity: Any) -> bytes:
    try:
        return reader.configurations.response(identity)
    except UnavailableError as error:
        return str(error).encode()


def test_what_was_never_published_reaches_a_reader_of_an_empty_feed() -> None:
    """An order that was met once: a record passed over, decided and stored by a worker that then dies."""
    order = NoReaderGoesBack()
    order.enrol("d1", is_auto_approved=False)
    order.delete("d2")
    order.follow(reader=1, count=1)
    order.work(worker=0, first=1, count=1, crash_after="decisions stored", after_s=0)
    order.catch_up(worker=0, reader=1)
    order.nobody_goes_back()
    order.outcomes_stay()
    order.teardown()


def test_no_reader_goes_back_and_no_outcome_changes() -> None:
    """In any order of what may happen."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        case = NoReaderGoesBack.TestCase()
        case.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
        case.runTest()
    finally:
        structlog.reset_defaults()
