"""Whether everything acknowledged is stored exactly once: millions of positions, compared as arrays.

Source of the positions: the header `Muster-Position` of each 200, kept by the load generator. Epochs are left out:
within one run offsets tell heartbeats apart.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.fleet_content import NAMESPACE
from benchmarks.parts.installation import Installation

HEARTBEATS_TABLE: Final = "heartbeats_log"
"""What the view `heartbeats` reads: counting its rows costs nothing, and is enough to wait for."""

STALL_S: Final = 30.0
_LOOK_S: Final = 0.25
_LOOK_AGAIN_S: Final = 2.0
_LINES_AT_ONCE: Final = 64 << 20
_ROW: Final = np.dtype([("partition", "<u2"), ("offset", "<u8"), ("batch_index", "<u2")])

Places = npt.NDArray[np.uint64]
"""Positions as one number each: partition (11 bits), offset (38), index in the record (15)."""


class Verdict(NamedTuple):
    """What became of the acknowledged heartbeats."""

    acknowledged: int
    found_once: int
    missing: int
    stored_twice: int
    acknowledged_twice: int
    """Positions that were given to two heartbeats."""
    stored_unacknowledged: int
    """Stored though the load generator had no answer, as when it ended: information, not a fault."""

    @property
    def is_clean(self) -> bool:
        """Whether each was found exactly once."""
        return self.found_once == self.acknowledged and not self.acknowledged_twice and not self.stored_twice

    def __str__(self) -> str:
        return (
            f"{self.acknowledged:,} acknowledged: {self.found_once:,} stored once, {self.missing:,} missing,"
            f" {self.stored_twice:,} stored twice, {self.acknowledged_twice:,} positions given twice;"
            f" {self.stored_unacknowledged:,} stored without an answer"
        )


def stored_rows(installation: Installation) -> int:
    """Rows of heartbeats stored so far, replays that are not merged away included."""
    return int(str(installation.query(f"SELECT count() FROM {HEARTBEATS_TABLE}")[0][0]))  # noqa: S608 - a constant


def wait_until_stored(installation: Installation, rows: int, stall_s: float = STALL_S) -> float:
    """Seconds until so many rows were stored; gives up when nothing new has come for `stall_s`."""
    began = grew_at = time.monotonic()
    most = -1
    while (stored := stored_rows(installation)) < rows:
        now = time.monotonic()
        if stored > most:
            most, grew_at = stored, now
        elif now - grew_at > stall_s:
            break
        time.sleep(_LOOK_S)
    return time.monotonic() - began


def check(installation: Installation, positions: Path, since_ms: int, stall_s: float = STALL_S) -> Verdict:
    """Compare the positions kept at `positions` with what is stored since a time. Takes seconds for a million."""
    acknowledged = np.sort(acknowledged_places(positions))
    return once_settled(lambda: _compare(installation, acknowledged, since_ms), stall_s)


def once_settled(compare: Callable[[], Verdict], stall_s: float) -> Verdict:
    """The verdict when nothing is missing any more, or after `stall_s`.

    Heartbeats of before, whose answers nobody waited for, may have been counted as those that were waited for.
    """
    gives_up_s = time.monotonic() + stall_s
    while (verdict := compare()).missing and time.monotonic() < gives_up_s:
        time.sleep(_LOOK_AGAIN_S)
    return verdict


def _compare(installation: Installation, acknowledged: Places, since_ms: int) -> Verdict:
    stored = np.sort(_stored(installation, since_ms))
    distinct, copies = np.unique(stored, return_counts=True)
    found = np.isin(acknowledged, distinct, assume_unique=False)
    doubled = distinct[copies > 1]
    is_doubled = np.isin(acknowledged, doubled)
    return Verdict(
        acknowledged=len(acknowledged),
        found_once=int(np.count_nonzero(found & ~is_doubled)),
        missing=int(np.count_nonzero(~found)),
        stored_twice=len(doubled),
        acknowledged_twice=len(acknowledged) - len(np.unique(acknowledged)),
        stored_unacknowledged=int(np.count_nonzero(~np.isin(distinct, acknowledged))),
    )


def acknowledged_places(positions: Path) -> Places:
    """Every line `epoch-partition-offset-index` of the files whose names begin so, one of each thread of wrk."""
    files = sorted(positions.parent.glob(f"{positions.name}.*"))
    portions = [portion for file in files for portion in _portions(file)]
    return np.concatenate(portions) if portions else np.empty(0, np.uint64)


def _portions(file: Path) -> Iterator[Places]:
    with file.open("rb") as lines:
        while text := lines.read(_LINES_AT_ONCE):
            whole = text + lines.readline()
            numbers = np.fromstring(whole.replace(b"-", b" "), np.uint64, sep=" ")
            rows = numbers.reshape(-1, 4)
            yield places_of(rows[:, 1], rows[:, 2], rows[:, 3])


def _stored(installation: Installation, since_ms: int) -> Places:
    rows = rows_since(installation, since_ms, "partition, offset, batch_index", _ROW)
    return places_of(rows["partition"], rows["offset"], rows["batch_index"])


def rows_since(installation: Installation, since_ms: int, columns: str, row: np.dtype[Any]) -> Any:
    """These columns of the fleet's heartbeats that were received since a time, as an array of `row`."""
    query = f"""
        SELECT {columns} FROM heartbeats
        WHERE namespace = {{namespace:String}} AND received_at >= fromUnixTimestamp64Milli({{since_ms:Int64}})
    """  # noqa: S608 - names of our own
    parameters = {"namespace": NAMESPACE, "since_ms": since_ms}
    return np.frombuffer(installation.client.raw_query(query, parameters=parameters, fmt="RowBinary"), row)


def places_of(partition: npt.NDArray[Any], offset: npt.NDArray[Any], batch_index: npt.NDArray[Any]) -> Places:
    """Positions from their columns."""
    places = np.left_shift(partition.astype(np.uint64), np.uint64(53))
    places |= np.left_shift(offset.astype(np.uint64), np.uint64(15))
    places |= batch_index.astype(np.uint64)
    return places
