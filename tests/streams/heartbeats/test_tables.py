"""What is written beside what: a batch's heartbeats while the rest of it is written."""

import threading
from collections.abc import Callable
from unittest.mock import create_autospec

import pytest
from clickhouse_connect.driver import Client

from fleet.heartbeats.batch import Stored
from fleet.heartbeats.device_memory import DeviceMemory
from fleet.heartbeats.fold import Folded, fold
from fleet.heartbeats.unchanged import Parting
from storage.device_contents import CONTENTS
from storage.heartbeats import HEARTBEATS, SEEN
from storage.table import Table
from storage.transitions import DEVICE_TRANSITIONS
from storage.workload_status import WORKLOADS
from streams.heartbeats.tables import WRITTEN, HeartbeatTables
from streams.metrics import WorkerMetrics

WITHIN_S = 5


class ScriptedTables(HeartbeatTables):
    """Notes what is written in the order of its end. One table may fail; heartbeats end when the rest has, or that."""

    def __init__(self, failing: Table | None) -> None:
        super().__init__(create_autospec(Client, instance=True), WorkerMetrics())
        self.ended: list[str] = []
        self._failing = failing
        self._rest_ended = threading.Event()

    def _insert(self, table: Table, rows: int, insert: Callable[[], None]) -> None:  # noqa: ARG002 - as it is called
        if table is HEARTBEATS:
            assert self._rest_ended.wait(WITHIN_S)
        self.ended.append(table.name)
        if table in (WORKLOADS, self._failing):
            self._rest_ended.set()
        if table is self._failing:
            raise OSError(table.name)


@pytest.fixture
def nothing() -> Folded:
    """A batch without a heartbeat: of its writing only the order counts here."""
    memory = DeviceMemory()
    return fold(Parting(memory, 0).parted(), memory, Stored(frozenset(), {}, {}), 0)


def test_heartbeats_are_written_beside_the_rest_and_before_what_counts_as_done(nothing: Folded) -> None:
    """Slow heartbeats hold up nothing but the two tables that tell what need not be folded again."""
    tables = ScriptedTables(failing=None)
    tables.write(nothing)
    *beside, contents, seen = tables.ended
    assert (contents, seen) == (CONTENTS.name, SEEN.name)
    assert beside[-1] == HEARTBEATS.name
    assert {*tables.ended} == {table.name for table in WRITTEN}


@pytest.mark.parametrize("failing", [HEARTBEATS, DEVICE_TRANSITIONS])
def test_whatever_fails_nothing_is_under_way_afterwards_and_nothing_counts_as_done(
    nothing: Folded, failing: Table
) -> None:
    """So the batch can be written again at once."""
    tables = ScriptedTables(failing)
    with pytest.raises(OSError, match=failing.name):
        tables.write(nothing)
    assert HEARTBEATS.name in tables.ended
    assert not {CONTENTS.name, SEEN.name} & {*tables.ended}
