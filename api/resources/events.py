"""Lists events of devices, read from ClickHouse when asked for: `kubectl describe` shows those of one device.

When ClickHouse does not answer in time the list is empty, and a warning says so.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import structlog

from api.resources.field_selectors import RESOURCE_FIELDS, read_field_selector, required_value
from api.resources.reads import ResourceReads
from fleet.decisions.commands import JSONObject, ResourceKey
from fleet.decisions.signed_request import DEVICE_KIND
from fleet.resources.event import SeenEvent, event

_FIELDS: Final = RESOURCE_FIELDS | {
    "involvedObject.apiVersion",
    "involvedObject.kind",
    "involvedObject.name",
    "involvedObject.namespace",
    "involvedObject.uid",
    "reason",
    "type",
}

_QUERIES: Final = 2
"""Queries a process runs at a time; describing waits for its turn."""

_WITHIN_S: Final = 3.0

_log = structlog.get_logger(__name__)

ReadEvents = Callable[[str, str], list[SeenEvent]]
"""Reads events of a namespace and device, "" for all; blocks."""


class Listed(NamedTuple):
    """Events, oldest first, and what their reader should know."""

    bodies: list[JSONObject]
    warnings: list[str]


class Events:
    """Reads events as an operator sees them."""

    def __init__(self, reads: ResourceReads, read: ReadEvents) -> None:
        self._reads = reads
        self._read = read
        self._threads = ThreadPoolExecutor(_QUERIES, "events")

    async def list(self, namespace: str | None, field_selector: str) -> Listed:
        """The newest events that fields select. Raises BadInputError."""
        selects = read_field_selector(field_selector, _FIELDS)
        device_id = required_value(field_selector, "involvedObject.name") or ""
        try:
            async with asyncio.timeout(_WITHIN_S):
                loop = asyncio.get_running_loop()
                seen = await loop.run_in_executor(self._threads, self._read, namespace or "", device_id)
        except Exception as error:  # noqa: BLE001 - whatever keeps events away, what they are about is there
            _log.warning("events not shown", error=repr(error)[:500])
            return Listed([], ["ClickHouse does not answer: events are not shown"])
        bodies = [event(each, self._device_uid(each)) for each in seen]
        return Listed([body for body in bodies if selects(_values(body))], [])

    def close(self) -> None:
        """Begin no further query."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _device_uid(self, seen: SeenEvent) -> str:
        held = self._reads.state.get(ResourceKey(DEVICE_KIND, seen.namespace, seen.device_id))
        return str(held.body["metadata"].get("uid", "")) if held else ""


def _values(body: JSONObject) -> dict[str, str]:
    """The selectable fields of an event."""
    involved = {f"involvedObject.{field}": value for field, value in body["involvedObject"].items()}
    metadata = body["metadata"]
    return involved | {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "reason": body["reason"],
        "type": body["type"],
    }
