"""What an agent remembers of each device, packed for millions of them: enough to fold without reading anything.

Numbers stand in arrays, so that a whole batch is compared at once; texts that devices share stand there once.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleet.heartbeats.device_index import DeviceIndex, Digests, digests
from fleet.heartbeats.packed_content import PackedContent, SaidLast, pack_content, unpack_content
from fleet.heartbeats.rows import ContentRow
from fleet.heartbeats.shared_values import SharedValues, Value

HARDWARE_HASHES = 2
"""Remembered descriptions of hardware: agents send all of it at times, and a part of it otherwise."""

NOT_KNOWN = -1
"""Number of a device that is not remembered."""


class Said(NamedTuple):
    """What narrow rows repeat of the last heartbeat; `wanted_version` is empty while unknown."""

    status: str
    version: str
    wanted_version: str
    has_events: bool


class KnownDevice(NamedTuple):
    """A device's last heartbeat."""

    sequence: int
    received_at_ms: int
    content_hash: int
    said: Said


class Learned(NamedTuple):
    """What the memory must hold from now on. Without a content the device says what it said."""

    key: tuple[str, str]
    known: KnownDevice
    content: ContentRow | None = None
    hardware_hashes: Sequence[int] = ()


class LastHeartbeats(NamedTuple):
    """The last heartbeats of several devices, in columns. `said` are numbers for `DeviceMemory.said`."""

    sequences: NDArray[np.uint64]
    received_at_ms: NDArray[np.int64]
    content_hashes: NDArray[np.uint64]
    said: NDArray[np.int32]


class DeviceMemory:
    """Remembers the devices of the partitions a worker holds. Not for threads."""

    def __init__(self) -> None:
        self._index = DeviceIndex()
        self._last = LastHeartbeats(
            np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.int32)
        )
        self._shapes = np.empty(0, np.int32)
        self._hardware_hashes = np.empty((0, HARDWARE_HASHES), np.uint64)
        self._owns: list[bytes] = []
        self._said: SharedValues[Said] = SharedValues()
        self._shared_shapes: SharedValues[bytes] = SharedValues()

    def __len__(self) -> int:
        return len(self._index)

    def find(self, wanted: Digests) -> NDArray[np.int64]:
        """The number of each device by the digest of its name, -1 for those that never beat."""
        return self._index.find(wanted)

    def last(self, numbers: NDArray[np.int64]) -> LastHeartbeats:
        """The last heartbeats of devices by their numbers."""
        sequences, received_at_ms, content_hashes, said = self._last
        return LastHeartbeats(sequences[numbers], received_at_ms[numbers], content_hashes[numbers], said[numbers])

    def said(self, code: int) -> Said:
        """What a number in `LastHeartbeats.said` stands for. It may stand for something else after a `put`."""
        return self._said[code]

    def number(self, namespace: str, device_id: str) -> int:
        """As `find`, for one device."""
        return int(self.find(digests([f"{namespace}/{device_id}"]))[0])

    def get(self, namespace: str, device_id: str) -> KnownDevice | None:
        """The device's last heartbeat, or None if it never beat."""
        return self.known([self.number(namespace, device_id)])[0]

    def known(self, numbers: Sequence[int]) -> list[KnownDevice | None]:
        """As `get`, of many by their numbers or -1."""
        sequences, received_at_ms, content_hashes, said = self.last(
            np.array([number for number in numbers if number != NOT_KNOWN], np.int64)
        )
        known = map(
            KnownDevice,
            sequences.tolist(),
            received_at_ms.tolist(),
            content_hashes.tolist(),
            map(self._said.__getitem__, said.tolist()),
        )
        return [next(known) if number != NOT_KNOWN else None for number in numbers]

    def has_content(self, number: int) -> bool:
        """Whether `content` would give something."""
        return bool(number != NOT_KNOWN and self._shapes[number] != NOT_KNOWN)

    def content(self, number: int, key: tuple[str, str], known: KnownDevice) -> ContentRow | None:
        """What the device of that number and name, known so, said last, if that is remembered.

        Its partition is not remembered, and given as 0.
        """
        shape = int(self._shapes[number])
        if shape == NOT_KNOWN:
            return None
        namespace, device_id = key
        sequence, received_at_ms, content_hash, said = known
        return unpack_content(
            SaidLast(namespace, device_id, received_at_ms, 0, sequence, content_hash, *said),
            PackedContent(self._shared_shapes[shape], self._owns[number]),
        )

    def hardware_hashes(self, number: int) -> list[int]:
        """Descriptions of the device's hardware that bring nothing new, as far as is known; the latest first."""
        if number == NOT_KNOWN:
            return []
        return [hash_ for hash_ in self._hardware_hashes[number].tolist() if hash_]

    def learn(self, devices: Sequence[Learned]) -> None:
        """Replace what is known of devices, each given once."""
        names = digests([f"{namespace}/{device_id}" for (namespace, device_id), *_ in devices])
        self._add(names[self.find(names) == NOT_KNOWN])
        numbers, last = self.find(names), self._last
        last.sequences[numbers] = np.array([device.known.sequence for device in devices], np.uint64)
        last.received_at_ms[numbers] = np.array([device.known.received_at_ms for device in devices], np.int64)
        last.content_hashes[numbers] = np.array([device.known.content_hash for device in devices], np.uint64)
        no_hashes = [0] * HARDWARE_HASHES
        self._hardware_hashes[numbers] = np.array(
            [[*device.hardware_hashes, *no_hashes][:HARDWARE_HASHES] for device in devices], np.uint64
        ).reshape(-1, HARDWARE_HASHES)
        for number, device in zip(numbers.tolist(), devices, strict=True):
            _replace(self._said, last.said, number, device.known.said)
            if device.content is not None:
                packed = pack_content(device.content)
                _replace(self._shared_shapes, self._shapes, number, packed.shape)
                self._owns[number] = packed.own

    def see(self, numbers: NDArray[np.int64], sequences: NDArray[np.uint64], received_at_ms: NDArray[np.int64]) -> None:
        """Note later heartbeats of known devices that say what the ones before said, in their order."""
        self._last.sequences[numbers] = sequences
        self._last.received_at_ms[numbers] = received_at_ms

    def load(
        self,
        names: Digests,
        last: LastHeartbeats,
        said: Sequence[Said],
        packed: Sequence[PackedContent],
        hardware_hashes: NDArray[np.uint64],
    ) -> None:
        """Remember many devices, each given once, as they were stored; the numbers in `last.said` do not count."""
        numbers = self.find(names)
        is_new = numbers == NOT_KNOWN
        numbers[is_new] = self._add(names[is_new])
        self.see(numbers, last.sequences, last.received_at_ms)
        self._last.content_hashes[numbers] = last.content_hashes
        self._hardware_hashes[numbers] = hardware_hashes
        for number, each_said, each_packed in zip(numbers.tolist(), said, packed, strict=True):
            _replace(self._said, self._last.said, number, each_said)
            _replace(self._shared_shapes, self._shapes, number, each_packed.shape)
            self._owns[number] = each_packed.own

    def forget_hardware_before(self, names: Digests, sequences: NDArray[np.uint64]) -> None:
        """Distrust the hashes of descriptions where the hardware is newer than the last heartbeat."""
        numbers = self.find(names)
        at = np.flatnonzero(numbers >= 0)
        at = at[self._last.sequences[numbers[at]] < sequences[at]]
        self._hardware_hashes[numbers[at]] = 0

    def _add(self, new: Digests) -> NDArray[np.int64]:
        numbers = self._index.add(new)
        self._owns += [b""] * len(numbers)
        capacity = len(self._shapes)
        if len(self._owns) > capacity:
            room = max(len(self._owns), 2 * capacity) - capacity
            last = self._last
            self._last = LastHeartbeats(
                _extended(last.sequences, room),
                _extended(last.received_at_ms, room),
                _extended(last.content_hashes, room),
                _extended(last.said, room),
            )
            self._shapes = _extended(self._shapes, room)
            no_hashes = np.zeros((room, HARDWARE_HASHES), np.uint64)
            self._hardware_hashes = np.concatenate((self._hardware_hashes, no_hashes))
        return numbers


def _extended(column: NDArray[Any], room: int) -> NDArray[Any]:
    return np.concatenate((column, np.full(room, NOT_KNOWN).astype(column.dtype)))


def _replace(values: SharedValues[Value], codes: NDArray[np.int32], number: int, value: Value) -> None:
    code = int(codes[number])
    if code == NOT_KNOWN:
        codes[number] = values.hold(value)
    elif values[code] != value:
        codes[number] = values.hold(value)
        values.release(code)
