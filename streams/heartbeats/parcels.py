"""Has Faust handle all records of a partition that came in one fetch as one message: a parcel.

Faust spends some 100 µs on each message, whatever it holds; a record holds a few dozen heartbeats, a parcel thousands.
Records gather at the broker, where waiting costs nothing (`streams.heartbeats.fetch_pace`).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import faust
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from streams.faust_app import DisklessApp
from streams.heartbeats.fetch_pace import FetchLimits, next_fetch

PARCELS_OF_A_FETCH: Final = 12
"""As many as there are partitions by default, some 4 MB each at most; Faust holds as many before the agent."""


class Parcel(bytes):
    """Records of one partition in order, in the place of a message's value, which Faust takes for bytes."""

    records: Sequence[ConsumerRecord]

    @classmethod
    def of(cls, records: Sequence[ConsumerRecord]) -> "Parcel":
        """A parcel, itself without any bytes."""
        parcel = cls()
        parcel.records = records
        return parcel


class _Thread(AIOKafkaConsumerThread):  # type: ignore[misc]  # Faust is not typed
    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust has no setting for it; the consumer reads it when it starts.
        consumer._fetch_max_wait_ms = self.app.fetch_wait_ms  # noqa: SLF001
        return consumer

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's
        max_records: int | None = None,
    ) -> dict[TP, list[ConsumerRecord]]:
        """As Faust's; tells the fetcher how long its next fetch may wait, which goes out when this has returned."""
        fetched: dict[TP, list[ConsumerRecord]] = await super()._fetch_records(
            consumer, active_partitions, timeout=timeout, max_records=max_records
        )
        if fetched:
            brought_bytes = [sum(len(record.value or b"") for record in records) for records in fetched.values()]
            fetcher = consumer._fetcher  # noqa: SLF001
            limits = FetchLimits(fetcher._max_partition_fetch_bytes, fetcher._fetch_max_bytes)  # noqa: SLF001
            pace = next_fetch(brought_bytes, len(consumer.assignment()), self.app.fetch_wait_ms, limits)
            fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes = pace  # noqa: SLF001
        return fetched


class _Consumer(Consumer):  # type: ignore[misc]  # Faust is not typed
    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[TP, list[ConsumerRecord]]:  # noqa: ASYNC109
        """What was fetched, as one record a partition, which stands where its last one does."""
        fetched = await super()._getmany(active_partitions, timeout)
        return {
            place: [replace(records[-1], value=Parcel.of(records))] for place, records in fetched.items() if records
        }


class _Transport(Transport):  # type: ignore[misc]  # Faust is not typed
    Consumer = _Consumer


class ParcelApp(DisklessApp):
    """A Faust app whose messages' values are parcels.

    `fetch_wait_ms` is how long a fetch waits for records; the app's maker sets it before it starts.
    """

    fetch_wait_ms: int

    def _new_transport(self) -> faust.types.TransportT:
        return _Transport(self.conf.broker_consumer, self)


def records_of(message: Any) -> Sequence[ConsumerRecord]:
    """What a message brought."""
    parcel: Parcel = message.value
    return parcel.records
