"""A whole batch, parted at once."""

from collections.abc import Sequence

from fleet.heartbeats.batch import ReceivedRecord
from fleet.heartbeats.device_memory import DeviceMemory
from fleet.heartbeats.unchanged import Parted, Parting


def part(records: Sequence[ReceivedRecord], memory: DeviceMemory, repeat_within_ms: int) -> Parted:
    """As a worker does whose batches are one piece."""
    parting = Parting(memory, repeat_within_ms)
    parting.take(records)
    return parting.parted()
