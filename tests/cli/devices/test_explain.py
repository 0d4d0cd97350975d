"""`muster explain` against a running installation."""

from pathlib import Path
from uuid import uuid4

from tests.cli.conftest import Served

API_VERSION = "management.project-flotta.io/v1alpha1"


def test_what_cannot_be_assembled_is_told_with_what_is_missing(served: Served, tmp_path: Path) -> None:
    """At once, since asking again would not help."""
    device = f"e-{uuid4().hex[:8]}"
    (tmp_path / "devices.csv").write_text(f"device\n{device}\n")
    assert served.muster("approve", "-f", str(tmp_path / "devices.csv")).returncode == 0
    container = "{name: c, image: i, envFrom: [{secretRef: {name: nowhere}}]}"
    file = tmp_path / "web.yaml"
    file.write_text(
        f"apiVersion: {API_VERSION}\nkind: EdgeWorkload\nmetadata: {{name: {device}}}\n"
        f"spec: {{type: pod, device: {device}, pod: {{spec: {{containers: [{container}]}}}}}}\n"
    )
    assert served.muster("apply", "-f", str(file)).returncode == 0
    done = served.muster("explain", device)
    assert (done.returncode, "Secret default/nowhere: is missing" in done.stderr) == (1, True)


def test_a_device_is_explained_field_by_field(served: Served, tmp_path: Path) -> None:
    """As a table, or one field as a whole; a field that is not there is refused."""
    device, name = (f"e-{uuid4().hex[:8]}" for _ in range(2))
    file = tmp_path / "devices.csv"
    file.write_text(f"device,set\n{device},{name}\n")
    assert served.muster("approve", "-f", str(file)).returncode == 0
    file = tmp_path / "set.yaml"
    spec = "spec: {heartbeat: {periodSeconds: 7}}"
    file.write_text(f"apiVersion: {API_VERSION}\nkind: EdgeDeviceSet\nmetadata: {{name: {name}}}\n{spec}\n")
    assert served.muster("apply", "-f", str(file)).returncode == 0
    done = served.muster("explain", device)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("heartbeat.period_seconds")]
    assert line.split()[1:3] == ["7", f"EdgeDeviceSet/{name}"]
    whole = served.muster("explain", device, "heartbeat.period_seconds").stdout
    assert f"from: EdgeDeviceSet/{name}\n" in whole
    assert "because: label flotta/member-of=" in whole
    refused = served.muster("explain", device, "nothing")
    assert refused.returncode == 1
    assert "has no field 'nothing': there are heartbeat, metrics, mounts" in refused.stderr
    refused = served.muster("explain", device, "heartbeat.period")
    assert "did you mean heartbeat.period_seconds" in refused.stderr
    assert "metrics.receiver" in served.muster("explain", device, "reciever").stderr
    assert served.muster("explain", "nobody").returncode == 1
