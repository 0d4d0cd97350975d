"""Notices a worker that has work and does none, by what the brokers say and not by what the worker believes.

A dead task inside Faust leaves its agent waiting for ever without an error, and an unexpected error in a commit can
hang it. Then the committed offsets stand still while the topic's ends are beyond them; ending the process is the cure.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Self

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from fleet.errors import MusterError
from streams.kafka_security import NO_SECURITY, KafkaSecurity

_log = structlog.get_logger(__name__)


class StalledError(MusterError):
    """There are records to read, and nothing was committed for too long."""


class Progress(NamedTuple):
    """Where a partition's group stands: the next offset to read, and since when."""

    committed: int
    since_s: float


def advance(
    known: Mapping[int, Progress], committed: Mapping[int, int], ends: Mapping[int, int], now_s: float
) -> dict[int, Progress]:
    """Progress by partition of those that have something left to read. `now_s` is of any steady clock."""
    progress = {}
    for partition, end in ends.items():
        offset = committed[partition]
        if offset >= end:
            continue
        before = known.get(partition)
        progress[partition] = before if before and before.committed == offset else Progress(offset, now_s)
    return progress


def stalled(progress: Mapping[int, Progress], now_s: float, after_s: float) -> int | None:
    """A partition whose reader has been standing still for `after_s`, or None."""
    return next((partition for partition, each in progress.items() if now_s - each.since_s >= after_s), None)


class StallWatch:
    """Asks the brokers about one group's progress in one topic. An async context manager."""

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topic: str,
        partitions: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        security: KafkaSecurity = NO_SECURITY,
    ) -> None:
        self._places = [TopicPartition(topic, partition) for partition in range(partitions)]
        self._clock = clock
        # With places assigned by hand it asks for the group's offsets without being a member of it.
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            client_id=f"{group}-watch",
            **security.for_aiokafka(),
        )

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._consumer.assign(self._places)
        self._consumer.pause(*self._places)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def run(
        self, after_s: float, every_s: float, held: Callable[[], frozenset[int]], tell_lag: Callable[[int], None]
    ) -> None:
        """Return never; raise StalledError when a partition stands still for `after_s`.

        `held` tells the partitions of this worker: others are their workers' business, unless it has none at all,
        which may be the very fault. Brokers that do not answer are not the worker's fault. `tell_lag` is told how many
        records of the topic are not committed.
        """
        progress: dict[int, Progress] = {}
        while True:
            await asyncio.sleep(every_s)
            try:
                ends = {place.partition: end for place, end in (await self._ends()).items()}
                committed = await self._committed()
            except KafkaError as error:
                _log.warning("brokers do not tell the worker's progress", reason=str(error))
                progress = {}
                continue
            tell_lag(sum(max(0, end - committed[partition]) for partition, end in ends.items()))
            mine = held() or frozenset(ends)
            now_s = self._clock()
            progress = advance(progress, committed, {each: ends[each] for each in mine if each in ends}, now_s)
            partition = stalled(progress, now_s, after_s)
            if partition is not None:
                raise StalledError(
                    f"partition {partition} of {self._places[0].topic} stands at {progress[partition].committed} of"
                    f" {ends[partition]} for {after_s:.0f} s"
                )

    async def _ends(self) -> Mapping[TopicPartition, int]:
        ends: Mapping[TopicPartition, int] = await self._consumer.end_offsets(self._places)
        return ends

    async def _committed(self) -> dict[int, int]:
        """The group's offsets; where it has none yet, that of the first record there is."""
        firsts = await self._consumer.beginning_offsets(self._places)
        return {
            place.partition: max(first, await self._consumer.committed(place) or 0) for place, first in firsts.items()
        }
