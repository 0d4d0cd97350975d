"""Has Faust handle all records of a partition that came in one fetch as one message: a parcel.

Faust spends some 100 µs on each message, whatever it holds; a record holds a few dozen heartbeats, a parcel thousands.
Fetches wait at the broker until there is enough to send, which spares all three the small ones.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import faust
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from streams.faust_app import DisklessApp

FETCH_BYTES: Final = 16_000_000
"""A fetch is answered when there is so much, some ten thousand heartbeats, …"""

FETCH_WAIT_MS: Final = 500
"""… or after this time: a heartbeat is to be seen within seconds."""

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
        # Faust has no settings for these; the consumer reads them when it starts.
        consumer._fetch_min_bytes = FETCH_BYTES  # noqa: SLF001
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001
        return consumer


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
    """A Faust app whose messages' values are parcels."""

    def _new_transport(self) -> faust.types.TransportT:
        return _Transport(self.conf.broker_consumer, self)


def records_of(message: Any) -> Sequence[ConsumerRecord]:
    """What a message brought."""
    parcel: Parcel = message.value
    return parcel.records
