"""Which heartbeats were acknowledged: their positions, kept compactly, twelve bytes each."""

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from fleet.position import Position, unpack_sequence

POSITION_LIMIT = 50_000_000
"""Acknowledgements kept at most (600 MB); those beyond are counted, not looked for, and the summary says so."""


class Acknowledged(NamedTuple):
    """One acknowledged heartbeat: where it should be, and whose it is."""

    offset: int
    batch_index: int
    device_index: int


class AcknowledgedPositions:
    """Positions by epoch and partition, in the order of their acknowledgement."""

    def __init__(self, limit: int = POSITION_LIMIT) -> None:
        self._limit = limit
        self._partitions: dict[tuple[int, int], tuple[array[int], array[int]]] = {}
        self.kept = 0
        self.beyond_limit = 0
        self.without_position = 0

    def add(self, position: str | None, device_index: int) -> None:
        """Note one acknowledgement by its header; a missing or unreadable one is counted."""
        try:
            parsed = Position.parse(position or "")
            sequence = parsed.sequence
        except (ValueError, OverflowError):
            self.without_position += 1
            return
        if self.kept >= self._limit:
            self.beyond_limit += 1
            return
        key = (parsed.epoch, parsed.partition)
        if (arrays := self._partitions.get(key)) is None:
            arrays = self._partitions[key] = (array("Q"), array("I"))
        arrays[0].append(sequence)
        arrays[1].append(device_index)
        self.kept += 1

    def partitions(self) -> list[tuple[int, int]]:
        """Every (epoch, partition) that acknowledged something, in order."""
        return sorted(self._partitions)

    def chunks(self, epoch: int, partition: int, size: int) -> Iterator[list[Acknowledged]]:
        """The partition's acknowledgements in the order of their position, at most about `size` at a time.

        Entries with the same offset are never split, so that the chunks' ranges of offsets do not overlap.
        """
        sequences, devices = self._partitions[epoch, partition]
        order = sorted(range(len(sequences)), key=sequences.__getitem__)
        chunk: list[Acknowledged] = []
        for place in order:
            _, offset, batch_index = unpack_sequence(sequences[place])
            if len(chunk) >= size and chunk[-1].offset != offset:
                yield chunk
                chunk = []
            chunk.append(Acknowledged(offset, batch_index, devices[place]))
        if chunk:
            yield chunk
