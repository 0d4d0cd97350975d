"""`muster preview` against a running installation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest

from cli.preview.report import report, size
from tests.cli.conftest import Served

API_VERSION = "management.project-flotta.io/v1alpha1"
Muster = Callable[..., str]


@pytest.fixture
def name() -> str:
    """A name nobody has."""
    return f"p-{uuid4().hex[:8]}"


def workload(name: str, *, device: str, secret: str) -> str:
    """For one device, with a Secret."""
    environment = f"env: [{{name: E, valueFrom: {{secretKeyRef: {{name: {secret}, key: k}}}}}}]"
    pod = f"pod: {{spec: {{containers: [{{name: c, image: i, {environment}}}]}}}}"
    spec = f"spec: {{type: pod, device: {device}, {pod}}}"
    return f"apiVersion: {API_VERSION}\nkind: EdgeWorkload\nmetadata: {{name: {name}}}\n{spec}\n"


def test_a_file_is_previewed_and_nothing_is_stored(served: Served, muster: Muster, tmp_path: Path, name: str) -> None:
    """Its resources, whom they concern, what is missing; as text and as JSON."""
    (tmp_path / "devices.csv").write_text(f"device\n{name}\n")
    muster("approve", "-f", str(tmp_path / "devices.csv"))
    file = tmp_path / "web.yaml"
    file.write_text(workload(name, device=name, secret=name))
    lines = muster("preview", "-f", str(file)).splitlines()
    assert lines[0] == "resources:  1 created"
    assert lines[1].startswith("devices:    0 of ")
    assert lines[2].strip() == "1 not registered yet are concerned once they are"
    assert lines[-1].startswith(
        f"missing:    Secret default/{name}: is missing; EdgeWorkload {name} wants it (keys: k)"
    )
    told = orjson.loads(muster("preview", "-f", str(file), "-o", "json"))
    assert told["missing"][0]["resource"] == f"Secret default/{name}"
    assert served.muster("get", "edgeworkload", name).returncode == 1
    assert "1 deleted" in muster("preview", "--delete", "edgedevice", name)
    assert served.muster("get", "edgedevice", name).returncode == 0


def test_what_would_be_refused_is_told_with_its_place(served: Served, tmp_path: Path, name: str) -> None:
    """Mistakes of a document are found here, those that only the state shows on the server; all of a file at once."""
    good = workload(name, device="d", secret="s")
    nowhere = good.replace(f"{{name: {name}}}", f"{{name: {name}-2, namespace: nowhere}}")
    file = tmp_path / "several.yaml"
    file.write_text("---\n".join([good, nowhere, good.replace(name, f"{name}-3")]))
    done = served.muster("preview", "-f", str(file), "--delete", "edgeworkload", "absent")
    assert done.returncode == 1
    assert f"{file}: document 2 (line 6): edgeworkload/{name}-2: namespace nowhere does not exist" in done.stderr
    assert "edgeworkload absent: EdgeWorkload default/absent does not exist" in done.stderr
    assert "2 would be refused, so nothing would be applied" in done.stderr
    file.write_text("---\n".join([good.replace("type: pod", "type: 7"), nowhere.replace("device: d", "device: 5")]))
    done = served.muster("preview", "-f", str(file))
    assert done.returncode == 1
    assert f"{file}: document 1 (line 4): spec.type" in done.stderr
    assert "document 2" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--delete", "kiosk", "x"), ("-f", "/nowhere.yaml")])
def test_wrong_arguments_are_told(served: Served, arguments: tuple[str, ...]) -> None:
    """With status 2 and before anything is asked."""
    assert served.muster("preview", *arguments).returncode == 2


def test_the_report_says_what_there_is_to_say() -> None:
    """Counts with separators; one difference a group; what costs nothing is left out."""
    told: dict[str, Any] = {
        "resources": {"created": 1, "configured": 2, "deleted": 0, "unchanged": 3},
        "devices": {
            "lookedAt": 100_000,
            "changed": 98_304,
            "failing": 12,
            "removed": 1,
            "notRegistered": 40,
            "playbooks": 2,
        },
        "reads": {"reads": 98_304, "bytes": 301_000_000, "bytesBefore": 300_000_000, "contents": 3, "reselected": 9},
        "sets": {"kiosks": 98_000, "<none>": 304},
        "labels": [{"label": "site", "devices": {"north": 50_000}, "values": 3}],
        "missing": [{"message": "Secret a/b: is missing", "keys": ["k"], "devices": 12, "isFatal": True}],
        "groups": [
            {"devices": 5, "example": "d1", "sets": {"kiosks": 5}, "problem": "", "diff": "@@\n+a"},
            {"devices": 1, "example": "d2", "sets": {"<none>": 1}, "problem": "Secret a/b: is missing", "diff": ""},
        ],
        "furtherGroups": 2,
    }
    assert report(told).splitlines() == [
        "resources:  1 created, 2 configured, 3 unchanged",
        "devices:    98,304 of 100,000 registered ones change",
        "            12 cannot be configured and keep what they run",
        "            1 are told nothing any more",
        "            2 are told to run a playbook",
        "            40 not registered yet are concerned once they are",
        "reads:      98,304 reads bring 301.0 MB within 5 s, 3 different configurations",
        "            later polls bring 200.0 kB/s more than now",
        "            9 devices are selected for anew at their next poll",
        "by set:     kiosks 98,000, <none> 304",
        "by label:   site: north 50,000 and 2 other values",
        "missing:    Secret a/b: is missing (keys: k); 12 devices cannot be configured",
        "",
        "group 1 of 2: 5 devices, such as d1 (sets: kiosks 5)",
        "@@",
        "+a",
        "",
        "group 2 of 2: 1 device, such as d2 (sets: <none> 1)",
        "cannot be configured: Secret a/b: is missing",
        "and 2 further groups of fewer devices",
    ]
    assert [size(999), size(1500), size(2_000_000_000)] == ["999 B", "1.5 kB", "2.0 GB"]
