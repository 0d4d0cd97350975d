"""Heartbeats of a fleet as they wait in Kafka, and what the fleet said before the first of them.

The same devices, bodies and changes as the load generator sends (`benchmarks.load.heartbeat_bodies`), each device at a
point of its hundred heartbeats that its number decides.
"""

from collections.abc import Iterator
from random import Random
from typing import Final

from benchmarks.fleet_content import NAMESPACE, device_id
from benchmarks.load.heartbeat_bodies import EVENTS_AT, HARDWARE_AT, NEWS_AT, SHAPES, VARIANTS, shapes
from benchmarks.load.request_heads import MARK, NUMBER_DIGITS
from fleet.heartbeats.batch import Arrival, Place, Stored
from fleet.heartbeats.device_memory import DeviceMemory
from fleet.heartbeats.entries import HeartbeatEntry
from fleet.heartbeats.fold import fold
from fleet.heartbeats.heartbeat import content_hash, hardware_hash, read_heartbeat
from fleet.heartbeats.rows import ContentRow
from fleet.heartbeats.unchanged import Parted, Parting
from streams.heartbeats.records import partition_of

_ROUND: Final = 100


class Backlog:
    """A fleet of `devices`, whose heartbeats are numbered through: device after device, round after round."""

    def __init__(self, devices: int, seed: int) -> None:
        self.devices = devices
        self._seed = seed
        self._shapes = list(shapes(seed))

    def entries(self, count: int) -> Iterator[HeartbeatEntry]:
        """The first `count` heartbeats, each round in an order of its own."""
        numbers = list(range(self.devices))
        random = Random(self._seed)  # noqa: S311 - an order, not a secret
        for round_ in range(-(-count // self.devices)):
            random.shuffle(numbers)
            for number in numbers[: count - round_ * self.devices]:
                yield _entry(number, self._body(number, number + 1 + round_))

    def last_contents(self, partitions: int, received_at_ms: int) -> Iterator[ContentRow]:
        """What every device said before, as a worker would have stored it."""
        rows: dict[tuple[int, int], ContentRow] = {}
        for number in range(self.devices):
            entry = _entry(number, self._body(number, number, is_plain=True))
            kind = (number % SHAPES, _variant(number))
            if kind not in rows:
                rows[kind] = _content(entry)
            yield rows[kind]._replace(
                device_id=entry.device_id,
                received_at_ms=received_at_ms,
                partition=partition_of(NAMESPACE, entry.device_id, partitions),
                content_hash=entry.content_hash,
                hardware_hashes=[hash_] if (hash_ := hardware_hash(entry.body)) else [],
            )

    def _body(self, number: int, beat: int, *, is_plain: bool = False) -> bytes:
        shape, variant, at = self._shapes[number % SHAPES], _variant(beat), beat % _ROUND
        bodies = shape.plain
        if not is_plain and at == HARDWARE_AT:
            bodies = shape.with_hardware
        elif not is_plain and at in EVENTS_AT:
            bodies = shape.with_events
        return bodies[variant].replace(MARK, b"%0*d" % (NUMBER_DIGITS, number))


def _variant(beat: int) -> int:
    return (beat // _ROUND * len(NEWS_AT) + sum(beat % _ROUND >= at for at in NEWS_AT)) % VARIANTS


def _entry(number: int, body: bytes) -> HeartbeatEntry:
    return HeartbeatEntry(
        NAMESPACE,
        device_id(number),
        content_hash(body, read_heartbeat(body)),
        is_checked=True,
        wanted_version=None,
        body=body,
    )


def _content(entry: HeartbeatEntry) -> ContentRow:
    nobody = DeviceMemory()
    parted = Parted(Parting(nobody, 0).parted().unchanged, [Arrival(entry, Place(1, 0, 1), -1, None)])
    return fold(parted, nobody, Stored(frozenset(), {}, {}), 0).contents[0]
