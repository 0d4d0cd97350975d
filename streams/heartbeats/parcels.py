"""Has Faust handle all records of a partition that came in one fetch as one message: a parcel.

Faust spends some 100 µs on each message, whatever it holds; a record holds a few dozen heartbeats, a parcel thousands.
Records gather at the broker, where waiting costs nothing; what one fetch brings is one batch. While much is coming they
gather longer: ClickHouse takes some 100 ms of processor time for a batch, whatever it holds.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import faust
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from streams.faust_app import DisklessApp

FETCH_BYTES_A_PARTITION: Final = 3_000_000
"""A fetch is answered at once when there is so much by partition: below what one may bring, so that a backlog flows."""

BUSY_BYTES: Final = 4_000_000
"""After a fetch that brought so much, some four thousand heartbeats, …"""

BUSY_TIMES: Final = 2
"""… the next one may wait so many times as long."""

BUFFERED_PARCELS: Final = 12
"""Parcels Faust holds between the consumer and the agent: one of each partition, some 4 MB each at most."""


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
            brought_bytes = sum(len(record.value or b"") for records in fetched.values() for record in records)
            times = BUSY_TIMES if brought_bytes >= BUSY_BYTES else 1
            fetcher = consumer._fetcher  # noqa: SLF001
            fetcher._fetch_max_wait_ms = self.app.fetch_wait_ms * times  # noqa: SLF001
            fetcher._fetch_min_bytes = FETCH_BYTES_A_PARTITION * len(consumer.assignment())  # noqa: SLF001
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

    fetch_wait_ms: int = 1000

    def _new_transport(self) -> faust.types.TransportT:
        return _Transport(self.conf.broker_consumer, self)


def records_of(message: Any) -> Sequence[ConsumerRecord]:
    """What a message brought."""
    parcel: Parcel = message.value
    return parcel.records
