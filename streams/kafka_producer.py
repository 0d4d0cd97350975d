"""A producer that outlives its poisonings: every send is acknowledged by all replicas or fails, none waits for ever.

aiokafka's idempotent producer cannot be trusted after a failure: a batch that failed has used up its sequence number,
so the broker refuses everything behind it (aiokafka issue 1017), a dead sender fails all later sends, and one whose
start failed hangs (issue 759). So after any failure the producer is dropped and a new one is built, in the background;
until it stands, sends are refused at once.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaProducer

from fleet.errors import UnavailableError
from streams.background_task import BackgroundTask
from streams.kafka_security import NO_SECURITY, KafkaSecurity

_RECORD_OVERHEAD_BYTES = 1024
"""Room for a record batch's own header within the broker's limit on a batch."""

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 2.0
_DROP_WITHIN_S = 2.0

_log = structlog.get_logger(__name__)


class _Record(NamedTuple):
    topic: str
    partition: int
    value: bytes
    headers: Sequence[tuple[str, bytes]]


class KafkaProducer:
    """One producer to one cluster, rebuilt whenever it fails.

    `stuck_after_s` is how long a record may stay unacknowledged before the producer is given up: longer than a leader
    election, since a record given up may still land.
    """

    def __init__(
        self,
        bootstrap: str,
        record_limit_bytes: int,
        client_id: str,
        stuck_after_s: float = 15.0,
        *,
        security: KafkaSecurity = NO_SECURITY,
    ) -> None:
        self._bootstrap = bootstrap
        self._security = security
        self._client_id = client_id
        self._batch_limit_bytes = record_limit_bytes
        self._stuck_after_s = stuck_after_s
        self._producer: AIOKafkaProducer | None = None
        self._waiting: set[asyncio.Future[int]] = set()
        self._is_wanted = asyncio.Event()
        self._keeper = BackgroundTask(f"{client_id}-keeper")
        self._droppings: set[asyncio.Task[None]] = set()
        self.rebuilds = 0

    @property
    def value_limit_bytes(self) -> int:
        """The largest value a record may have."""
        return self._batch_limit_bytes - _RECORD_OVERHEAD_BYTES

    @property
    def is_up(self) -> bool:
        """Whether a send would be tried rather than refused."""
        return self._producer is not None

    def start(self) -> None:
        """Begin to connect; returns at once, so that a process starts without its broker."""
        self._is_wanted.set()
        self._keeper.start(self._keep())

    async def stop(self, within_s: float) -> None:
        """Wait for the acknowledgements of what was sent, then close; the rest fails."""
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=within_s)
        await self._keeper.stop()
        producer, self._producer = self._producer, None
        self._fail_waiting(UnavailableError("this process is stopping: try again"))
        if producer:
            await _drop(producer)
        if self._droppings:
            await asyncio.wait(self._droppings)

    async def send(self, topic: str, partition: int, value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> int:
        """The record's offset, once all in-sync replicas have it.

        Raises UnavailableError: at once when there is no connection, or when the record was not acknowledged; then it
        may or may not be in the log. Cancelling the wait does not call the record back.
        """
        return await asyncio.shield(self.post(topic, partition, value, headers))

    def post(
        self, topic: str, partition: int, value: bytes, headers: Sequence[tuple[str, bytes]] = ()
    ) -> "asyncio.Future[int]":
        """As `send`, for who waits otherwise. Raises UnavailableError when there is no connection."""
        producer = self._producer
        if producer is None:
            raise UnavailableError("the heartbeat and command log is not reachable: try again")
        loop = asyncio.get_running_loop()
        acknowledged: asyncio.Future[int] = loop.create_future()
        self._waiting.add(acknowledged)
        acknowledged.add_done_callback(self._waiting.discard)
        sending = loop.create_task(self._send(producer, _Record(topic, partition, value, headers), acknowledged))
        sending.add_done_callback(_settle(acknowledged))
        return acknowledged

    async def _send(self, producer: AIOKafkaProducer, record: _Record, acknowledged: asyncio.Future[int]) -> None:
        try:
            async with asyncio.timeout(self._stuck_after_s):
                sent = await producer.send(
                    record.topic, record.value, partition=record.partition, headers=list(record.headers)
                )
                metadata = await sent
        except Exception as error:  # noqa: BLE001 - whatever it was, this producer's sequence numbers are off now
            reason = f"{type(error).__name__}: {error}"
            self._give_up(producer, UnavailableError(f"the log did not acknowledge the record ({reason}): try again"))
            return
        if metadata.offset < 0:
            # The broker had it already (a repeated request) and no longer knows where.
            self._give_up(producer, UnavailableError("the log acknowledged the record without its place: try again"))
        elif not acknowledged.done():
            acknowledged.set_result(metadata.offset)

    def _give_up(self, producer: AIOKafkaProducer, error: UnavailableError) -> None:
        if self._producer is not producer:
            return
        self._producer = None
        self._fail_waiting(error)
        _log.warning("producer given up", client_id=self._client_id, reason=str(error))
        dropping = asyncio.create_task(_drop(producer))
        self._droppings.add(dropping)
        dropping.add_done_callback(self._droppings.discard)
        self._is_wanted.set()

    def _fail_waiting(self, error: UnavailableError) -> None:
        for waiting in list(self._waiting):
            _fail(waiting, error)

    async def _keep(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            await self._is_wanted.wait()
            producer = self._build()
            try:
                await producer.start()
            except asyncio.CancelledError:
                await _drop(producer)
                raise
            except Exception as error:  # noqa: BLE001 - whatever hinders the start, the remedy is another try
                await _drop(producer)
                _log.warning("broker not reachable", bootstrap=self._bootstrap, reason=str(error), retry_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                continue
            self._producer = producer
            self._is_wanted.clear()
            self.rebuilds += 1
            pause_s = _FIRST_PAUSE_S

    def _build(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            # The default of 16 kB would cut every batch of heartbeats; the broker judges whole batches by its limit.
            max_batch_size=self._batch_limit_bytes,
            max_request_size=self._batch_limit_bytes,
            request_timeout_ms=int(self._stuck_after_s * 1000),
            **self._security.for_aiokafka(),
        )


def _settle(acknowledged: "asyncio.Future[int]") -> Callable[["asyncio.Task[None]"], None]:
    """A send that ended without a word still ends its waiter."""

    def settle(_: "asyncio.Task[None]") -> None:
        _fail(acknowledged, UnavailableError("the log did not acknowledge the record: try again"))

    return settle


def _fail(waiting: "asyncio.Future[int]", error: UnavailableError) -> None:
    if not waiting.done():
        waiting.set_exception(error)
        waiting.exception()  # whoever waited may have left


async def _drop(producer: AIOKafkaProducer) -> None:
    """Close without waiting for a broker that may be gone; what was not sent is known to have failed."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_DROP_WITHIN_S):
            await producer.stop()
    with contextlib.suppress(Exception):
        # A producer with unsent records never ends its sender by itself.
        sender = producer._sender.sender_task  # noqa: SLF001
        if sender is not None:
            sender.cancel()
        async with asyncio.timeout(_DROP_WITHIN_S):
            await producer.client.close()
