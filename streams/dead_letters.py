"""Puts aside what cannot be read, with why and whence, so that the log goes on and a person can look."""

from collections.abc import Callable

import structlog

from fleet.position import Position
from streams.kafka_producer import KafkaProducer

_LONGEST_REASON = 1000
"""Characters of a reason: it may quote what it is about."""

_log = structlog.get_logger(__name__)


class DeadLetters:
    """Writes the topic of dead letters. A record's value is what could not be read, as it was.

    Its headers are text: `reason`, `topic`, and `position` as `Muster-Position` spells it. After a crash a letter may
    be there twice, with the same position. `count` is called for each.
    """

    def __init__(
        self, producer: KafkaProducer, topic: str, partitions: int, count: Callable[[], None] = lambda: None
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._partitions = partitions
        self._count = count

    async def put(self, source_topic: str, position: Position, value: bytes, reason: str) -> None:
        """Returns when the broker has it. Raises UnavailableError, as the producer does; then try again."""
        _log.error("put aside as dead letter", topic=source_topic, position=str(position), reason=reason)
        headers = [
            ("reason", reason[:_LONGEST_REASON].encode()),
            ("topic", source_topic.encode()),
            ("position", str(position).encode()),
        ]
        await self._producer.send(self._topic, position.partition % self._partitions, value, headers)
        self._count()
