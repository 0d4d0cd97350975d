"""Keeps a process's view of the fleet current: note the feed's end, load from ClickHouse, apply from there on.

What the load already holds is skipped by its revision, so nothing is missed and nothing goes back. A feed cut off
before our place (retention, or a topic made anew) means loading again. Each trouble is logged and tried again, for as
long as it takes; the view says meanwhile how old it is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from api.desired_state.fleet_view import FleetView
from fleet.collection_pause import collection_paused
from fleet.decisions.state import FleetState
from streams.background_task import BackgroundTask
from streams.commands.feed_records import decode_outcomes
from streams.kafka_security import NO_SECURITY, KafkaSecurity

_POLL_MS: Final = 500
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0

_APPLIED_AT_ONCE: Final = 200
"""Outcomes applied before other work of the process gets its turn: an import must not hold up heartbeats."""

_log = structlog.get_logger(__name__)

Load = Callable[[], Awaitable[FleetState]]
"""Loads the state from ClickHouse without blocking the loop."""


class FeedReader:
    """Reads one feed into one view. `after_load` is called when outcomes may have been missed."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        record_limit_bytes: int,
        *,
        view: FleetView,
        load: Load,
        after_load: Callable[[], None],
        security: KafkaSecurity = NO_SECURITY,
    ) -> None:
        self._security = security
        self._bootstrap = bootstrap
        self._place = TopicPartition(topic, 0)
        self._record_limit_bytes = record_limit_bytes
        self._view = view
        self._load = load
        self._after_load = after_load
        self._task = BackgroundTask("feed-reader")

    def start(self) -> None:
        """Begin in the background."""
        self._task.start(self._run())

    async def stop(self) -> None:
        """End, wherever it is."""
        await self._task.stop()

    async def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            loads = self._view.loads
            try:
                await self._follow()
            except OffsetOutOfRangeError:
                _log.warning("the feed was cut off before our place: loading again", topic=self._place.topic)
            except Exception as error:  # noqa: BLE001 - whatever it was, a process without its feed is of no use
                _log.warning("feed lost", topic=self._place.topic, error=repr(error), retry_in_s=pause_s)
            if self._view.loads > loads:
                pause_s = _FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id="muster-api-feed",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            # A record may be as large as the broker lets it.
            max_partition_fetch_bytes=self._record_limit_bytes,
            **self._security.for_aiokafka(),
        )
        try:
            await consumer.start()
            end = (await consumer.end_offsets([self._place]))[self._place]
            self._view.replace(await self._load())
            _log.info("fleet loaded", revision=self._view.state.revision, devices=len(self._view.state.identities))
            consumer.assign([self._place])
            consumer.seek(self._place, end)
            self._after_load()
            while True:
                await self._poll(consumer)
        finally:
            await asyncio.shield(consumer.stop())

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        heard_ms = consumer.last_poll_timestamp(self._place)
        batches = await consumer.getmany(self._place, timeout_ms=_POLL_MS)
        for record in batches.get(self._place, []):
            await self._apply(record.value, record.offset)
        if consumer.last_poll_timestamp(self._place) != heard_ms:
            highwater = consumer.highwater(self._place)
            if highwater is not None and await consumer.position(self._place) >= highwater:
                self._view.note_current()

    async def _apply(self, value: bytes, offset: int) -> None:
        try:
            with collection_paused():
                outcomes = decode_outcomes(value)
        except msgspec.DecodeError as error:
            # Only a newer program writes what this one cannot read; what it missed comes with the next load.
            _log.error("feed record skipped: it is of a later layout", offset=offset, error=str(error))
            return
        for start in range(0, len(outcomes), _APPLIED_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            with collection_paused():
                for outcome in outcomes[start : start + _APPLIED_AT_ONCE]:
                    self._view.apply(outcome)
