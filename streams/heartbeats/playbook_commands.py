"""Tells the deciding worker of playbook executions whose status changed, which become conditions of the resources."""

from collections.abc import Callable, Sequence

from fleet.decisions.commands import ReportPlaybook, Request
from fleet.heartbeats.device_fold import Executed
from streams.commands.records import encode_requests
from streams.kafka_producer import KafkaProducer

AUTHOR = "muster:heartbeats"

_AT_ONCE = 500
"""Commands in one record: names and a status take less than 1 kB, so this stays below any record limit."""


class PlaybookCommands:
    """Writes the commands topic through a producer that its owner starts and stops. `new_id` names requests."""

    def __init__(self, producer: KafkaProducer, topic: str, new_id: Callable[[], str]) -> None:
        self._producer = producer
        self._topic = topic
        self._new_id = new_id

    async def send(self, executed: Sequence[Executed]) -> None:
        """Returns when the broker has the commands. Raises UnavailableError, as the producer does; then try again.

        Every try is a request of its own; conditions only move on, so what is told twice or late changes nothing.
        """
        requests = [request for each in executed for request in self._requests(each)]
        for start in range(0, len(requests), _AT_ONCE):
            await self._producer.send(self._topic, 0, encode_requests(requests[start : start + _AT_ONCE]))

    def _requests(self, executed: Executed) -> list[Request]:
        place, (namespace, device_id), statuses = executed
        return [
            Request(self._new_id(), AUTHOR, place.received_at_ms, ReportPlaybook(device_id, namespace, name, status))
            for name, status in statuses.items()
        ]
