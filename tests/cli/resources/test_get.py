"""How resources are shown."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from cli.errors import CommandError
from cli.resources.get import get, render
from cli.table import table
from fleet.resources import KINDS
from fleet.resources.columns import age

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
DEVICE: dict[str, Any] = {
    "apiVersion": "management.project-flotta.io/v1alpha1",
    "kind": "EdgeDevice",
    "metadata": {
        "name": "kiosk-1",
        "namespace": "shops",
        "labels": {"flotta/member-of": "kiosks"},
        "creationTimestamp": "2026-11-20T11:00:00Z",
    },
    "status": {
        "state": "registered",
        "phase": "up",
        "lastSeenTime": "2026-11-22T11:59:20.500Z",
        "lastSyncedResourceVersion": "ab12",
        "driftedSince": "2026-11-22T11:57:00Z",
    },
}


def test_devices_are_shown_with_state_status_last_seen_version_drift_and_set() -> None:
    """What an operator asks first, aligned in columns."""
    text = render([DEVICE, {"metadata": {"name": "kiosk-22"}}], KINDS["EdgeDevice"], "table", now=NOW)
    assert text == (
        "NAME       STATE        STATUS   LAST SEEN   VERSION   DRIFTED   SET      AGE\n"
        "kiosk-1    registered   up       39s         ab12      3m        kiosks   2d\n"
        "kiosk-22   <none>       <none>   <none>      <none>    <none>    <none>   <none>\n"
    )


def test_device_that_is_going_says_so() -> None:
    """The deletion matters more than what it was."""
    going = DEVICE | {"metadata": DEVICE["metadata"] | {"deletionTimestamp": "2026-11-22T11:59:00Z"}}
    assert "deleting" in render([going], KINDS["EdgeDevice"], "table", now=NOW)


def test_signed_requests_are_shown_with_target_approval_and_standing() -> None:
    """As the contract's printer columns have it, with the set."""
    request = {
        "metadata": {"name": "d1", "creationTimestamp": "2026-11-22T11:57:00Z"},
        "spec": {"targetNamespace": "shops", "targetSet": "kiosks", "approved": False},
        "status": {"conditions": [{"type": "pending", "status": "True"}, {"type": "declined", "status": "False"}]},
    }
    text = render([request], KINDS["EdgeDeviceSignedRequest"], "table", now=NOW)
    assert text.splitlines() == [
        "NAME   DEVICEID   TARGETNAMESPACE   APPROVED   STATUS    SET      AGE",
        "d1     d1         shops             false      pending   kiosks   3m",
    ]


def test_workload_says_whom_it_is_for_and_what_they_say_of_it() -> None:
    """A device by name, or labels and expressions; how many report what."""
    spec = {
        "deviceSelector": {
            "matchLabels": {"site": "north"},
            "matchExpressions": [
                {"key": "gpu", "operator": "Exists"},
                {"key": "arch", "operator": "In", "values": ["a"]},
            ],
        },
        "pod": {"spec": {"containers": [{"image": "web:1"}, {"image": "side:2"}]}},
    }
    status = {"devices": 3, "phases": {"Exited": 1, "Running": 2}}
    one = {"metadata": {"name": "w", "namespace": "shops"}, "spec": spec, "status": status}
    other = {"metadata": {"name": "v", "namespace": "shops"}, "spec": {"device": "d1"}}
    lines = render([one, other], KINDS["EdgeWorkload"], "table", with_namespace=True, now=NOW).splitlines()
    assert lines[0].split() == ["NAMESPACE", "NAME", "DEVICES", "REPORTED", "IMAGES", "AGE"]
    assert "site=north, gpu Exists, arch In a   1 Exited, 2 Running   web:1,side:2" in lines[1]
    assert "device d1" in lines[2]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_columns_that_read_anything(kind: str) -> None:
    """A resource without any of the fields is a line of <none>, not an error."""
    empty = {"metadata": {"name": "x"}}
    odd = {"metadata": {"name": "x", "labels": None}, "spec": None, "status": {"conditions": None}, "data": None}
    assert len(render([empty, odd], KINDS[kind], "table", now=NOW).splitlines()) == 3


def test_output_for_programs_is_whole_and_reads_back() -> None:
    """One resource by itself, several as a List; the same content in YAML and JSON."""
    kind = KINDS["EdgeDevice"]
    assert yaml.safe_load(render([DEVICE], kind, "yaml", is_single=True)) == DEVICE
    assert json.loads(render([DEVICE], kind, "json", is_single=True)) == DEVICE
    listed = yaml.safe_load(render([DEVICE, DEVICE], kind, "yaml"))
    assert (listed["kind"], listed["items"]) == ("List", [DEVICE, DEVICE])
    assert render([DEVICE], kind, "name") == "edgedevice/kiosk-1\n"


def test_cell_stays_in_its_line() -> None:
    """Whatever a device wrote, a row is a line."""
    assert table(["A", "B"], [["one\ntwo", ""]]) == "A         B\none two   <none>\n"


@pytest.mark.parametrize(
    ("since", "text"),
    [
        ("2026-11-22T11:59:59Z", "1s"),
        ("2026-11-22T11:57:00Z", "3m"),
        ("2026-11-22T09:00:00+00:00", "3h"),
        ("2026-11-12T12:00:00Z", "10d"),
        ("2026-11-22T12:00:05Z", "0s"),
        ("never", ""),
        ("2026-11-22T11:00:00", ""),
    ],
)
def test_age_is_told_in_one_unit(since: str, text: str) -> None:
    """A clock that is ahead gives no negative age; what is no time gives none."""
    assert age(since, NOW) == text


def test_unreadable_selector_says_how_to_write_one() -> None:
    """Without asking the server; it is a usage error."""
    with pytest.raises(CommandError, match="write key=value") as caught:
        get("edgedevices", selector="a=b=c")
    assert caught.value.status == 2
