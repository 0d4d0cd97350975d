"""What was acknowledged against what a real engine holds."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import pytest

from cli.simulate.ledger import Ledger, StoredHeartbeat, Verdict
from cli.simulate.positions import AcknowledgedPositions
from cli.simulate.stored_heartbeats import StoredHeartbeats
from fleet.errors import UnavailableError
from fleet.position import Position
from local.free_ports import free_port
from settings import ClickHouseSettings
from storage.client import connect

Row = tuple[Position, str]


def name(index: int) -> str:
    """The ids of the fleet."""
    return f"led-{index:06d}"


def acknowledged(*positions: Position) -> AcknowledgedPositions:
    """One acknowledgement each, of device 0, 1, 2 and so on."""
    found = AcknowledgedPositions()
    for index, position in enumerate(positions):
        found.add(str(position), index)
    return found


class Clock:
    """Time that passes only in sleep."""

    def __init__(self, on_sleep: Callable[[], None] = lambda: None) -> None:
        self.now = 0.0
        self._on_sleep = on_sleep

    def __call__(self) -> float:
        """Seconds since the beginning."""
        return self.now

    def sleep(self, duration_s: float) -> None:
        """Pass time, and let something happen."""
        self.now += duration_s
        self._on_sleep()


class Store:
    """The table of a namespace of this test's own, in the real engine."""

    def __init__(self, settings: ClickHouseSettings, password: str, namespace: str) -> None:
        self.client = connect(settings, password)
        self.namespace = namespace
        self.reader = StoredHeartbeats.open(settings, password, namespace, "led")

    def insert(self, *rows: Row, at: datetime | None = None) -> None:
        """Store heartbeats at their positions, in one insert each, so that nothing merges them."""
        at = at or datetime.now(UTC)
        for position, device_id in rows:
            row = [self.namespace, device_id, at, position.partition, position.sequence]
            columns = ["namespace", "device_id", "received_at", "partition", "sequence"]
            self.client.insert("heartbeats_log", [row], columns)

    def check(self, positions: AcknowledgedPositions, clock: Clock | None = None) -> Verdict:
        """The ledger's verdict."""
        clock = clock or Clock()
        ledger = Ledger(self.reader, name, stall_s=5, limit_s=60, clock=clock, sleep=clock.sleep)
        return ledger.check(positions, lambda _, __: None)


@pytest.fixture
def store(tables: tuple[ClickHouseSettings, str], request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty namespace."""
    namespace = request.node.name.replace("_", "-")[:63]
    store = Store(*tables, namespace)
    yield store
    store.reader.close()
    store.client.close()


A, B, C = Position(1, 0, 10, 0), Position(1, 0, 10, 1), Position(1, 2, 7, 0)


def test_everything_stored_once_is_clean(store: Store) -> None:
    """A replay of the same row does not count twice: the documented view shows it once."""
    at = datetime.now(UTC)
    store.insert((A, name(0)), (B, name(1)), (C, name(2)), (A, name(0)), at=at)
    verdict = store.check(acknowledged(A, B, C))
    assert verdict.is_clean
    assert (verdict.looked_for, verdict.found_once, verdict.stored_unacknowledged) == (3, 3, 0)


def test_missing_position_is_found_and_named(store: Store) -> None:
    """After as much patience as the pipeline may need."""
    clock = Clock()
    store.insert((A, name(0)), (C, name(2)))
    verdict = store.check(acknowledged(A, B, C), clock)
    assert not verdict.is_clean
    assert (verdict.missing, verdict.found_once) == (1, 2)
    assert verdict.examples == ["1-0-10-1 of led-000001 is not stored"]
    assert 5 <= clock.now < 20


def test_doubled_position_is_found_and_named(store: Store) -> None:
    """Two rows of one position that are not the same row, such as after a replay that changed its time."""
    store.insert((A, name(0)), at=datetime(2100, 1, 1, 12, tzinfo=UTC))
    store.insert((A, name(0)), (B, name(1)), at=datetime(2100, 1, 1, 13, tzinfo=UTC))
    verdict = store.check(acknowledged(A, B))
    assert (verdict.doubled, verdict.found_once, verdict.missing) == (1, 1, 0)
    assert verdict.examples == ["1-0-10-0 of led-000000 is stored 2 times"]


def test_position_stored_for_another_device_is_found(store: Store) -> None:
    """The row is there once, but what the device said was lost."""
    store.insert((A, name(5)))
    verdict = store.check(acknowledged(A))
    assert (verdict.misplaced, verdict.found_once) == (1, 0)
    assert verdict.examples == ["1-0-10-0 of led-000000 is stored as a heartbeat of led-000005"]


def test_position_given_to_two_heartbeats_is_found(store: Store) -> None:
    """One of them is not stored, whatever the row says."""
    store.insert((A, name(0)))
    verdict = store.check(acknowledged(A, A))
    assert (verdict.misplaced, verdict.found_once) == (1, 1)


def test_same_place_in_another_epoch_is_another_position(store: Store) -> None:
    """The topic may have been made anew."""
    store.insert((Position(2, 0, 10, 0), name(0)))
    assert store.check(acknowledged(A)).missing == 1


def test_position_from_a_process_that_knew_no_epoch_is_found(store: Store) -> None:
    """It acknowledged before it had read the epoch; partition, offset and index still name the row."""
    store.insert((Position(3, 0, 10, 0), name(0)), (Position(3, 0, 10, 1), name(1)))
    assert store.check(acknowledged(Position(0, 0, 10, 0), Position(3, 0, 10, 1))).is_clean
    assert store.check(acknowledged(Position(0, 0, 10, 2))).missing == 1


def test_unacknowledged_row_is_information(store: Store) -> None:
    """A device that hung up may have been heard: that is no fault."""
    store.insert((A, name(0)), (B, name(1)))
    verdict = store.check(acknowledged(A))
    assert verdict.is_clean
    assert verdict.stored_unacknowledged == 1


def test_rows_of_others_and_of_before_do_not_count(store: Store) -> None:
    """Another fleet's devices, and what was stored before the run."""
    store.insert((B, "other-000001"))
    store.insert((C, name(2)), at=datetime(2020, 1, 1, 12, tzinfo=UTC))
    store.insert((A, name(0)))
    assert store.check(acknowledged(A)).stored_unacknowledged == 0


def test_pipeline_may_take_its_time(store: Store) -> None:
    """As long as something new is stored the ledger waits, longer than it would for nothing."""
    positions = [Position(1, 0, offset, 0) for offset in range(4)]
    waiting = [(position, name(index)) for index, position in enumerate(positions)]
    sleeps = 0

    def store_one() -> None:
        nonlocal sleeps
        sleeps += 1
        if sleeps % 4 == 0 and waiting:
            store.insert(waiting.pop(0))

    clock = Clock(store_one)
    assert store.check(acknowledged(*positions), clock).is_clean
    assert clock.now > 5


def test_database_that_does_not_answer_is_no_clean_verdict(tables: tuple[ClickHouseSettings, str]) -> None:
    """What was not looked for is told as such, in bounded time."""

    class Silent:
        def stored(self, *_: int) -> Iterable[StoredHeartbeat]:
            raise UnavailableError("down")

        def count(self) -> int:
            raise UnavailableError("down")

    clock = Clock()
    ledger = Ledger(Silent(), name, stall_s=5, limit_s=60, clock=clock, sleep=clock.sleep)
    verdict = ledger.check(acknowledged(A, B), lambda _, __: None)
    assert not verdict.is_clean
    assert (verdict.unread, verdict.stored_unacknowledged) == (2, None)
    assert clock.now < 20
    _, password = tables
    with pytest.raises(UnavailableError, match="`muster up` starts it"):
        StoredHeartbeats.open(ClickHouseSettings(port=free_port()), password, "ns", "led")
