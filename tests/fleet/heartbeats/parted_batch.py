"""Records as a worker receives them, and a whole batch of them, parted at once."""

from collections.abc import Iterable, Sequence

from fleet.heartbeats.batch import ReceivedRecord
from fleet.heartbeats.device_memory import DeviceMemory
from fleet.heartbeats.entries import HeartbeatEntry, RecordEntries
from fleet.heartbeats.unchanged import Parted, Parting


def received(first_sequence: int, received_at_ms: int, entries: Iterable[HeartbeatEntry]) -> ReceivedRecord:
    """A record of partition 0."""
    return ReceivedRecord(0, first_sequence, received_at_ms, RecordEntries.of(entries))


def part(records: Sequence[ReceivedRecord], memory: DeviceMemory, repeat_within_ms: int) -> Parted:
    """As a worker does whose batches are one piece."""
    parting = Parting(memory, repeat_within_ms)
    parting.take(records)
    return parting.parted()
