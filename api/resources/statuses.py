"""Completes EdgeDevices and EdgeWorkloads with what is not stored in them: where devices stand, what they reported.

A page of up to a thousand devices costs one query. When ClickHouse does not answer in time they are shown
without reports, and a warning says so. Writes and dry runs are not completed: they say what was asked for, not
what was seen.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, Protocol, TypeVar

import structlog

from api.desired_state.fleet_view import FleetView
from fleet.decisions.commands import JSONObject
from fleet.decisions.playbooks import executions
from fleet.decisions.signed_request import DEVICE_KIND
from fleet.decisions.state import WORKLOAD_KIND
from fleet.devices.reported_status import DeviceReport, phases_status, reported_status, standing_status
from fleet.devices.states import DeviceIdentity, DeviceState
from storage.namespaced_names import NamespacedName

_WITHOUT_REPORTS: Final = "ClickHouse does not answer: shown without what devices reported"

_log = structlog.get_logger(__name__)

Reported = TypeVar("Reported")

Read = Callable[[Collection[NamespacedName]], Mapping[NamespacedName, Reported]]
"""Reads reports of what is named; blocks."""


class Selection(Protocol):
    """Which workloads devices are to run: `api.devices.configurations.Configurations`."""

    def selected_workloads(self, device: JSONObject, hardware_labels: Mapping[str, str]) -> list[str]:
        """Names of the workloads that a device (its body as stored) is to run."""


class Completed(NamedTuple):
    """Bodies in the order given, and what their reader should know."""

    bodies: list[JSONObject]
    warnings: list[str]


class Statuses:
    """Completes bodies. What reads runs in one of `queries` threads, and is waited for `deadline_s` at most.

    `read_phases` counts devices by what they say of a workload.
    """

    def __init__(
        self,
        view: FleetView,
        selection: Selection,
        read: Read[DeviceReport],
        read_phases: Read[Mapping[str, int]],
        *,
        queries: int,
        deadline_s: float,
    ) -> None:
        self._view = view
        self._selection = selection
        self._read = read
        self._read_phases = read_phases
        self._deadline_s = deadline_s
        self._threads = ThreadPoolExecutor(queries, "statuses")

    async def complete(self, bodies: Sequence[JSONObject]) -> Completed:
        """The bodies, EdgeDevices and EdgeWorkloads with their status. All other kinds are left as they are."""
        devices = {_key(body) for body in bodies if body.get("kind") == DEVICE_KIND}
        workloads = {_key(body) for body in bodies if body.get("kind") == WORKLOAD_KIND}
        # One after the other: a page is of one kind, and nothing is waited for where there is nothing to read.
        reports = await self._within(self._read, devices)
        phases = await self._within(self._read_phases, workloads)
        completed = [self._completed(body, reports, phases) for body in bodies]
        return Completed(completed, [_WITHOUT_REPORTS] if reports is None or phases is None else [])

    def close(self) -> None:
        """Begin no further query."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _within(
        self, read: Read[Reported], keys: Collection[NamespacedName]
    ) -> Mapping[NamespacedName, Reported] | None:
        if not keys:
            return {}
        try:
            async with asyncio.timeout(self._deadline_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, read, keys)
        except Exception as error:  # noqa: BLE001 - whatever keeps reports away, the resource itself is there
            _log.warning("shown without what devices reported", resources=len(keys), error=repr(error)[:500])
            return None

    def _completed(
        self,
        body: JSONObject,
        reports: Mapping[NamespacedName, DeviceReport] | None,
        phases: Mapping[NamespacedName, Mapping[str, int]] | None,
    ) -> JSONObject:
        kind = body.get("kind")
        if kind == DEVICE_KIND:
            return _with_status(body, self._device_status(body, reports))
        if kind == WORKLOAD_KIND and phases:
            return _with_status(body, phases_status(phases.get(_key(body), {})))
        return body

    def _device_status(self, body: JSONObject, reports: Mapping[NamespacedName, DeviceReport] | None) -> JSONObject:
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
        return status

    def _identity(self, namespace: str, device_id: str) -> DeviceIdentity | None:
        identity = self._view.identity(device_id)
        return identity if identity and identity.namespace == namespace else None


def _with_status(body: JSONObject, status: JSONObject) -> JSONObject:
    held = body.get("status")
    return body | {"status": (held if isinstance(held, dict) else {}) | status}


def _key(body: JSONObject) -> NamespacedName:
    return body["metadata"]["namespace"], body["metadata"]["name"]
