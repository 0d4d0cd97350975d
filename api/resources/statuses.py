"""Completes EdgeDevices with what is not stored in them: where each stands and what it last reported.

A page of up to a thousand devices costs one query. When ClickHouse does not answer in time the devices are shown
without their reports, and a warning says so. Writes and dry runs are not completed: they say what was asked for, not
what was seen.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, Protocol

import structlog

from api.desired_state.fleet_view import FleetView
from fleet.decisions.commands import JSONObject
from fleet.decisions.playbooks import executions
from fleet.decisions.signed_request import DEVICE_KIND
from fleet.devices.reported_status import DeviceReport, reported_status, standing_status
from fleet.devices.states import DeviceIdentity, DeviceState
from fleet.heartbeats.batch import DeviceKey

_WITHOUT_REPORTS: Final = "ClickHouse does not answer: shown without what devices reported"

_log = structlog.get_logger(__name__)

Read = Callable[[Collection[DeviceKey]], Mapping[DeviceKey, DeviceReport]]
"""Reads reports; blocks."""


class Selection(Protocol):
    """Which workloads devices are to run: `api.devices.configurations.Configurations`."""

    def selected_workloads(self, device: JSONObject, hardware_labels: Mapping[str, str]) -> list[str]:
        """Names of the workloads that a device (its body as stored) is to run."""


class Completed(NamedTuple):
    """Bodies in the order given, and what their reader should know."""

    bodies: list[JSONObject]
    warnings: list[str]


class Statuses:
    """Completes bodies. `read` runs in one of `queries` threads, and is waited for `deadline_s` at most."""

    def __init__(self, view: FleetView, selection: Selection, read: Read, *, queries: int, deadline_s: float) -> None:
        self._view = view
        self._selection = selection
        self._read = read
        self._deadline_s = deadline_s
        self._threads = ThreadPoolExecutor(queries, "statuses")

    async def complete(self, bodies: Sequence[JSONObject]) -> Completed:
        """The bodies, EdgeDevices among them with their status. All other kinds are left as they are."""
        keys = {_key(body) for body in bodies if _is_device(body)}
        if not keys:
            return Completed(list(bodies), [])
        reports = await self._reports(keys)
        completed = [self._completed(body, reports) if _is_device(body) else body for body in bodies]
        return Completed(completed, [] if reports is not None else [_WITHOUT_REPORTS])

    def close(self) -> None:
        """Begin no further query."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _reports(self, keys: Collection[DeviceKey]) -> Mapping[DeviceKey, DeviceReport] | None:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, keys)
        except Exception as error:  # noqa: BLE001 - whatever keeps reports away, the resource itself is there
            _log.warning("devices shown without their reports", devices=len(keys), error=repr(error)[:500])
            return None

    def _completed(self, body: JSONObject, reports: Mapping[DeviceKey, DeviceReport] | None) -> JSONObject:
        namespace, device_id = key = _key(body)
        identity = self._identity(namespace, device_id)
        status = standing_status(identity.state if identity else DeviceState.UNKNOWN)
        if playbooks := [
            {"name": execution.key.name, "PlaybookExecutionStatus": execution.status}
            for execution in executions(self._view.state, body)
            if execution.status is not None
        ]:
            status["PlaybookExec"] = playbooks
        if reports is not None:
            labels = identity.hardware_labels if identity else {}
            is_stripped = identity is not None and identity.answers.is_stripped
            selected = [] if is_stripped else self._selection.selected_workloads(body, labels)
            status |= reported_status(reports.get(key), selected)
        held = body.get("status")
        return body | {"status": (held if isinstance(held, dict) else {}) | status}

    def _identity(self, namespace: str, device_id: str) -> DeviceIdentity | None:
        identity = self._view.identity(device_id)
        return identity if identity and identity.namespace == namespace else None


def _is_device(body: JSONObject) -> bool:
    return body.get("kind") == DEVICE_KIND


def _key(body: JSONObject) -> DeviceKey:
    return body["metadata"]["namespace"], body["metadata"]["name"]
