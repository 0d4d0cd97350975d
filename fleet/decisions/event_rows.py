"""The rows of `device_events` that decisions bring: what the service saw, at the place in the log that showed it."""

from collections.abc import Iterable, Iterator
from typing import Final

from fleet.decisions.decider import Decision
from fleet.heartbeats.rows import DeviceEventRow

_SOURCE: Final = "muster"
_COMMANDS_PARTITION: Final = 0


def event_rows(decisions: Iterable[Decision]) -> Iterator[DeviceEventRow]:
    """Events in their order. A replay gives the same rows."""
    for decision in decisions:
        for index, event in enumerate(decision.outcome.events if decision.outcome else ()):
            yield DeviceEventRow(
                namespace=event.namespace,
                device_id=event.device_id,
                received_at_ms=decision.received_at_ms,
                source=_SOURCE,
                partition=_COMMANDS_PARTITION,
                sequence=decision.revision,
                event_index=index,
                type=event.type,
                reason=event.reason,
                message=event.message,
            )
