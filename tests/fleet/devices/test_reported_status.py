"""What an EdgeDevice's status shows of its last heartbeat."""

import pytest

from fleet.devices.reported_status import DeviceReport, WorkloadReport, reported_status, standing_status
from fleet.devices.states import DeviceState

SEEN_MS = 1_795_000_000_000
SEEN = "2026-11-18T11:06:40Z"
REPORT = DeviceReport(
    SEEN_MS, "up", "v1", "v2", SEEN_MS, "", "", "", (WorkloadReport("web", "Running", SEEN_MS, None),)
)


def test_the_last_heartbeat_is_told_by_the_names_of_the_definition() -> None:
    """Phase, times, versions and workloads; what a workload never uploaded is left out."""
    assert reported_status(REPORT, ["web"]) == {
        "phase": "up",
        "lastSeenTime": SEEN,
        "lastSyncedResourceVersion": "v1",
        "wantedVersion": "v2",
        "driftedSince": SEEN,
        "workloads": [{"name": "web", "phase": "Running", "lastTransitionTime": SEEN}],
    }


def test_a_selected_workload_is_deploying_until_a_heartbeat_reports_it() -> None:
    """Also of a device that never beat; in the order of names."""
    assert reported_status(None, ["web"]) == {"workloads": [{"name": "web", "phase": "Deploying"}]}
    phases = {each["name"]: each["phase"] for each in reported_status(REPORT, ["a", "web", "z"])["workloads"]}
    assert list(phases.items()) == [("a", "Deploying"), ("web", "Running"), ("z", "Deploying")]


def test_what_a_device_did_not_say_is_left_out() -> None:
    """Empty texts are no values; an upgrade is told once there is a commit."""
    silent = REPORT._replace(status="", version="", wanted_version="", drifted_since_ms=None, workloads=())
    assert reported_status(silent, []) == {"lastSeenTime": SEEN}
    upgraded = silent._replace(upgrade_commit_id="c1", upgrade_status="succeeded")
    assert reported_status(upgraded, [])["upgradeInformation"] == {
        "currentCommitID": "c1",
        "lastUpgradeStatus": "succeeded",
    }


@pytest.mark.parametrize("state", list(DeviceState))
def test_the_state_is_where_the_device_stands(state: DeviceState) -> None:
    """A resource whose device never asked to join has none."""
    expected = {} if state is DeviceState.UNKNOWN else {"state": state.value}
    assert standing_status(state) == expected
