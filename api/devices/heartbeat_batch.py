"""Heartbeats that will share a record, and who waits for each: everyone is told once, stored or failed."""

import asyncio
from typing import NamedTuple, Protocol

import structlog

from fleet.errors import UnavailableError
from fleet.heartbeats.entries import HeartbeatEntry

_log = structlog.get_logger(__name__)


class StoredRecord(NamedTuple):
    """A record that was acknowledged. All who wait for its heartbeats are given this one object."""

    partition: int
    offset: int


class Waiter(Protocol):
    """Who waits for a heartbeat to be stored; one of the two is called, once."""

    def stored(self, record: StoredRecord, batch_index: int) -> None:
        """It is the record's entry of this index."""

    def failed(self, error: UnavailableError) -> None:
        """It is not known to be stored."""


class HeartbeatBatch:
    """Collected from `opened_s` until it is sent, then `expire`d if it takes too long."""

    __slots__ = ("_expiry", "_waiters", "entries", "opened_s", "size_bytes")

    def __init__(self, opened_s: float) -> None:
        self.opened_s = opened_s
        self.entries: list[HeartbeatEntry] = []
        self.size_bytes = 0
        self._expiry: asyncio.TimerHandle | None = None
        self._waiters: list[Waiter] = []

    def add(self, entry: HeartbeatEntry, waiter: Waiter, size_bytes: int) -> None:
        """Take one more, which counts `size_bytes`."""
        self.entries.append(entry)
        self._waiters.append(waiter)
        self.size_bytes += size_bytes

    def expire(self, at_s: float) -> None:
        """Tell them at this time of the loop's clock that it took too long, unless they are told before."""
        self._expiry = asyncio.get_running_loop().call_at(
            at_s, self.fail, UnavailableError("Kafka did not acknowledge the heartbeat in time: try again")
        )

    def acknowledge(self, record: StoredRecord) -> None:
        """Tell everyone who has not been told yet."""
        for index, waiter in enumerate(self._take_waiters()):
            try:
                waiter.stored(record, index)
            except Exception:  # noqa: BLE001 - one waiter's trouble must not keep the others waiting
                _log.exception("an acknowledged heartbeat could not be answered")

    def fail(self, error: UnavailableError) -> None:
        """Tell everyone who has not been told yet."""
        for waiter in self._take_waiters():
            try:
                waiter.failed(error)
            except Exception:  # noqa: BLE001 - as above
                _log.exception("a heartbeat that failed could not be answered")

    def _take_waiters(self) -> list[Waiter]:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        waiters, self._waiters = self._waiters, []
        return waiters
