"""The `status` of an EdgeDevice, as it is shown: where the device stands, and what its last heartbeat said.

That of an EdgeWorkload counts what devices say of it.

The names are those of the definition of edgedevices; `state`, `lastSeenTime`, `wantedVersion` and `driftedSince` are
said beside them. Source: CONTRACT.md “Workload selection” for workloads that no heartbeat has reported yet.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from fleet.decisions.commands import JSONObject
from fleet.decisions.resource_bodies import timestamp
from fleet.devices.states import DeviceState

NOT_YET_REPORTED: Final = "Deploying"


class WorkloadReport(NamedTuple):
    """One workload in a device's last heartbeat. Times are Unix milliseconds; None for never."""

    name: str
    status: str
    since_ms: int
    last_data_upload_ms: int | None


class DeviceReport(NamedTuple):
    """A device as its last heartbeat left it. Texts are empty when the device gave none."""

    last_seen_ms: int
    status: str
    version: str
    wanted_version: str
    drifted_since_ms: int | None
    upgrade_commit_id: str
    upgrade_status: str
    upgrade_time: str
    workloads: tuple[WorkloadReport, ...]


def standing_status(state: DeviceState) -> JSONObject:
    """What is known without any heartbeat: nothing of a device that never asked to join."""
    return {} if state is DeviceState.UNKNOWN else {"state": str(state)}


def reported_status(report: DeviceReport | None, selected: Iterable[str]) -> JSONObject:
    """What the last heartbeat (None: there was none) said, and the `selected` workloads it did not name."""
    reported = report.workloads if report else ()
    known = {workload.name for workload in reported}
    workloads = [_workload(workload) for workload in reported]
    workloads += [{"name": name, "phase": NOT_YET_REPORTED} for name in selected if name not in known]
    status = _device(report) if report else {}
    return status | ({"workloads": sorted(workloads, key=_name)} if workloads else {})


def phases_status(phases: Mapping[str, int]) -> JSONObject:
    """The status of a workload that so many devices report in each phase; nothing of one that none reports."""
    return {"devices": sum(phases.values()), "phases": dict(sorted(phases.items()))} if phases else {}


def _device(report: DeviceReport) -> JSONObject:
    status: JSONObject = {
        "phase": report.status,
        "lastSeenTime": timestamp(report.last_seen_ms),
        "lastSyncedResourceVersion": report.version,
        "wantedVersion": report.wanted_version,
    }
    if report.drifted_since_ms is not None:
        status["driftedSince"] = timestamp(report.drifted_since_ms)
    if report.upgrade_commit_id:
        upgrade = {
            "currentCommitID": report.upgrade_commit_id,
            "lastUpgradeStatus": report.upgrade_status,
            "lastUpgradeTime": report.upgrade_time,
        }
        status["upgradeInformation"] = {key: value for key, value in upgrade.items() if value}
    return {key: value for key, value in status.items() if value}


def _workload(workload: WorkloadReport) -> JSONObject:
    shown: JSONObject = {
        "name": workload.name,
        "phase": workload.status,
        "lastTransitionTime": timestamp(workload.since_ms),
    }
    if workload.last_data_upload_ms is not None:
        shown["lastDataUpload"] = timestamp(workload.last_data_upload_ms)
    return shown


def _name(workload: JSONObject) -> str:
    return str(workload["name"])
