"""Whether everything acknowledged is stored exactly once: positions against the table `heartbeats`.

Heartbeats take a moment from Kafka to ClickHouse, so the ledger first waits until as many are stored as were
acknowledged, or until nothing new has come for `stall_s`. What is missing then is looked for again, `stall_s` in all.
"""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from cli.simulate.positions import Acknowledged, AcknowledgedPositions
from fleet.errors import UnavailableError

CHUNK_POSITIONS = 50_000
"""Looked for with one query: its answer takes some 10 MB here."""

STALL_S = 30.0
LIMIT_S = 900.0
LOOK_AGAIN_S = 1.0
EXAMPLES = 10


class StoredHeartbeat(NamedTuple):
    """What the table holds under one position and device: `copies` rows."""

    offset: int
    batch_index: int
    device_id: str
    copies: int


class HeartbeatReader(Protocol):
    """Reads the table. Raises UnavailableError when ClickHouse does not answer; the ledger then looks again."""

    def stored(self, epoch: int, partition: int, first_offset: int, last_offset: int) -> Iterable[StoredHeartbeat]:
        """The fleet's rows in a range of offsets, both ends included; of every epoch if it is EPOCH_NOT_KNOWN."""

    def count(self) -> int:
        """All rows of the fleet since the run began, acknowledged or not."""


class Verdict:
    """What the ledger found. `examples` are sentences, at most EXAMPLES of each sort."""

    def __init__(self) -> None:
        self.looked_for = 0
        self.found_once = 0
        self.missing = 0
        self.doubled = 0
        self.misplaced = 0
        """Positions under which another device's heartbeat is stored, or that were given to two heartbeats."""
        self.unread = 0
        """Not looked for at all, because ClickHouse did not answer."""
        self.stored_unacknowledged: int | None = None
        """Stored though the device got no answer: information, not a fault. None when it could not be counted."""
        self.examples: list[str] = []

    @property
    def is_clean(self) -> bool:
        """Whether everything looked for was found exactly once."""
        return self.found_once == self.looked_for


class Ledger:
    """Compares one fleet's acknowledgements with the table. Blocks: run it in a thread."""

    def __init__(
        self,
        reader: HeartbeatReader,
        name_device: Callable[[int], str],
        *,
        stall_s: float = STALL_S,
        limit_s: float = LIMIT_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._reader = reader
        self._name_device = name_device
        self._stall_s = stall_s
        self._limit_s = limit_s
        self._clock = clock
        self._sleep = sleep
        self._looks_left = max(1, round(stall_s / LOOK_AGAIN_S))

    def check(self, acknowledged: AcknowledgedPositions, progress: Callable[[int, int], None]) -> Verdict:
        """Look for every position. `progress` is told how many are stored and how many were acknowledged."""
        self._catch_up(acknowledged.kept, progress)
        verdict = Verdict()
        for epoch, partition in acknowledged.partitions():
            for chunk in acknowledged.chunks(epoch, partition, CHUNK_POSITIONS):
                self._check_chunk(verdict, epoch, partition, chunk)
                progress(verdict.found_once, acknowledged.kept)
        stored = self._count()
        if stored is not None:
            verdict.stored_unacknowledged = max(0, stored - verdict.found_once)
        return verdict

    def _catch_up(self, wanted: int, progress: Callable[[int, int], None]) -> None:
        """Wait until the pipeline has stored enough, or stalls, or the time is up."""
        began = grew_at = self._clock()
        most = -1
        while True:
            stored, now = self._count(), self._clock()
            if stored is not None and stored > most:
                most, grew_at = stored, now
                progress(min(stored, wanted), wanted)
            if most >= wanted or now - grew_at >= self._stall_s or now - began >= self._limit_s:
                return
            self._sleep(LOOK_AGAIN_S)

    def _check_chunk(self, verdict: Verdict, epoch: int, partition: int, chunk: list[Acknowledged]) -> None:
        while True:
            rows = self._read(epoch, partition, chunk)
            outcome = None if rows is None else _compare(chunk, rows, self._name_device)
            if (outcome is not None and not outcome.missing) or not self._looks_left:
                break
            self._looks_left -= 1
            self._sleep(LOOK_AGAIN_S)
        verdict.looked_for += len(chunk)
        if outcome is None:
            verdict.unread += len(chunk)
            return
        verdict.found_once += outcome.found_once
        verdict.missing += outcome.missing
        verdict.doubled += outcome.doubled
        verdict.misplaced += outcome.misplaced
        room = max(0, EXAMPLES - len(verdict.examples))
        verdict.examples += [f"{epoch}-{partition}-{example}" for example in outcome.examples[:room]]

    def _count(self) -> int | None:
        try:
            return self._reader.count()
        except UnavailableError:
            return None

    def _read(self, epoch: int, partition: int, chunk: list[Acknowledged]) -> list[StoredHeartbeat] | None:
        try:
            return list(self._reader.stored(epoch, partition, chunk[0].offset, chunk[-1].offset))
        except UnavailableError:
            return None


class _Outcome(NamedTuple):
    found_once: int
    missing: int
    doubled: int
    misplaced: int
    examples: list[str]


def _compare(chunk: list[Acknowledged], rows: list[StoredHeartbeat], name_device: Callable[[int], str]) -> _Outcome:
    """Count what became of each acknowledged position of a chunk; the counts add up to the chunk's length."""
    stored: dict[tuple[int, int], list[StoredHeartbeat]] = {}
    for row in rows:
        stored.setdefault((row.offset, row.batch_index), []).append(row)
    found_once = missing = doubled = misplaced = 0
    examples: list[str] = []
    seen: set[tuple[int, int]] = set()
    for entry in chunk:
        place = (entry.offset, entry.batch_index)
        device_id = name_device(entry.device_index)
        here = stored.get(place, [])
        wrong = ""
        if place in seen:
            misplaced += 1
            wrong = "was acknowledged for two heartbeats"
        elif not here:
            missing += 1
            wrong = "is not stored"
        elif sum(row.copies for row in here) > 1:
            doubled += 1
            wrong = f"is stored {sum(row.copies for row in here)} times"
        elif here[0].device_id != device_id:
            misplaced += 1
            wrong = f"is stored as a heartbeat of {here[0].device_id}"
        else:
            found_once += 1
        seen.add(place)
        if wrong and len(examples) < EXAMPLES:
            examples.append(f"{entry.offset}-{entry.batch_index} of {device_id} {wrong}")
    return _Outcome(found_once, missing, doubled, misplaced, examples)
