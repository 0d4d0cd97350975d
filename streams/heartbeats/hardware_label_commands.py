"""Tells the deciding worker of devices whose hardware earns them other labels: these take part in selection."""

from collections.abc import Callable, Sequence

from fleet.decisions.commands import Request, SetHardwareLabels
from fleet.heartbeats.device_fold import Relabelled
from streams.commands.records import encode_requests
from streams.kafka_producer import KafkaProducer

AUTHOR = "muster:heartbeats"

_AT_ONCE = 500
"""Commands in one record: labels of a device take less than 1 kB, so this stays below any record limit."""


class HardwareLabelCommands:
    """Writes the commands topic through a producer that its owner starts and stops. `new_id` names requests."""

    def __init__(self, producer: KafkaProducer, topic: str, new_id: Callable[[], str]) -> None:
        self._producer = producer
        self._topic = topic
        self._new_id = new_id

    async def send(self, relabelled: Sequence[Relabelled]) -> None:
        """Returns when the broker has the commands. Raises UnavailableError, as the producer does; then try again.

        Every try is a request of its own. Labels that come late, after a crash or from a worker that was cut off, are
        known by the sequence of their heartbeat and do not count.
        """
        for start in range(0, len(relabelled), _AT_ONCE):
            requests = [_request(each, self._new_id()) for each in relabelled[start : start + _AT_ONCE]]
            await self._producer.send(self._topic, 0, encode_requests(requests))


def _request(relabelled: Relabelled, request_id: str) -> Request:
    place, (namespace, device_id), labels = relabelled
    return Request(
        request_id=request_id,
        author=AUTHOR,
        issued_at_ms=place.received_at_ms,
        command=SetHardwareLabels(device_id, namespace, labels, place.sequence),
    )
