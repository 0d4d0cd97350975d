"""What an agent remembers of each device: enough to know, without reading anything, that a heartbeat says the same.

Packed for millions of devices, at roughly 200 bytes each: a digest for the name, columns for the numbers, and the
texts, which most devices share, each once.
"""

from array import array
from typing import NamedTuple

from xxhash import xxh3_128_digest


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


class DeviceMemory:
    """Remembers devices of one partition. Not for threads."""

    def __init__(self) -> None:
        self._slots: dict[bytes, int] = {}
        self._sequences = array("Q")
        self._received_at_ms = array("q")
        self._hashes = array("Q")
        self._said = array("L")
        self._texts = _SharedTexts()

    def __len__(self) -> int:
        return len(self._slots)

    def get(self, namespace: str, device_id: str) -> KnownDevice | None:
        """The device's last heartbeat, or None if it never beat."""
        slot = self._slots.get(_digest(namespace, device_id))
        if slot is None:
            return None
        return KnownDevice(
            self._sequences[slot], self._received_at_ms[slot], self._hashes[slot], self._texts[self._said[slot]]
        )

    def put(self, namespace: str, device_id: str, known: KnownDevice) -> None:
        """Replace what is known of a device."""
        digest = _digest(namespace, device_id)
        slot = self._slots.get(digest)
        if slot is None:
            self._slots[digest] = len(self._sequences)
            self._sequences.append(known.sequence)
            self._received_at_ms.append(known.received_at_ms)
            self._hashes.append(known.content_hash)
            self._said.append(self._texts.hold(known.said))
            return
        self._sequences[slot] = known.sequence
        self._received_at_ms[slot] = known.received_at_ms
        self._hashes[slot] = known.content_hash
        code = self._said[slot]
        if self._texts[code] != known.said:
            self._said[slot] = self._texts.hold(known.said)
            self._texts.release(code)


class _SharedTexts:
    """Each distinct `Said` once, counted, under a small number that is used again when nobody holds it."""

    def __init__(self) -> None:
        self._codes: dict[Said, int] = {}
        self._values: list[Said] = []
        self._holders = array("L")
        self._free: list[int] = []

    def __getitem__(self, code: int) -> Said:
        return self._values[code]

    def hold(self, said: Said) -> int:
        code = self._codes.get(said)
        if code is None:
            if self._free:
                code = self._free.pop()
                self._values[code] = said
            else:
                code = len(self._values)
                self._values.append(said)
                self._holders.append(0)
            self._codes[said] = code
        self._holders[code] += 1
        return code

    def release(self, code: int) -> None:
        self._holders[code] -= 1
        if not self._holders[code]:
            del self._codes[self._values[code]]
            self._free.append(code)


def _digest(namespace: str, device_id: str) -> bytes:
    """128 bits: with 64, two of ten million devices would meet once in some hundred thousand installations."""
    return xxh3_128_digest(f"{namespace}/{device_id}".encode())
