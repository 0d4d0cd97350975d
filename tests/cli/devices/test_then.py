"""`muster device NAME --at TIME` against a running installation, and the whole life of a change around it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from cli.devices.then import moment
from cli.errors import CommandError
from tests.api.fleet import Device, Operator
from tests.api.go_client import GoClient
from tests.cli.conftest import Served

Muster = Callable[..., str]
API_VERSION = "management.project-flotta.io/v1alpha1"
VALUE = "planted-value-of-the-past"


@pytest.fixture
def device(served: Served) -> Iterator[Device]:
    """A registered device."""
    port = int(served.variables["MUSTER_HTTP_PORT"])
    with GoClient(port) as client, Operator(f"http://127.0.0.1:{port}") as operator:
        yield Device(client, operator).become("registered")


def files(folder: Path, name: str, device: str, image: str) -> str:
    """A workload for the device, with a Secret."""
    pod = f"containers: [{{name: c, image: '{image}', envFrom: [{{secretRef: {{name: {name}}}}}]}}]"
    file = folder / "change.yaml"
    file.write_text(
        f"apiVersion: {API_VERSION}\nkind: EdgeWorkload\nmetadata: {{name: {name}}}\n"
        f"spec: {{type: pod, device: {device}, pod: {{spec: {{{pod}}}}}}}\n"
        f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{key: {VALUE}}}\n"
    )
    return str(file)


def now() -> str:
    """As it is typed."""
    return datetime.now(UTC).isoformat()


def test_a_change_is_previewed_applied_told_and_taken_back(device: Device, muster: Muster, tmp_path: Path) -> None:
    """What the device was to run is known of any time: by what it was told, to the version."""
    name, device_id = f"life-{uuid4().hex[:8]}", device.device_id
    before = now()
    file = files(tmp_path, name, device_id, "web:1")
    assert "1 of " in muster("preview", "-f", file).splitlines()[1]
    muster("apply", "-f", file, "-m", "web for the kiosk")
    first = device.call("GET", "configuration").body.decode()
    between = now()
    muster("apply", "-f", files(tmp_path, name, device_id, "web:2"), "-m", "a new web")
    second = device.call("GET", "configuration").body.decode()
    assert "-        image: web:1" in muster("diff", "edgeworkload", name)
    told = orjson.loads(muster("device", device_id, "--at", between, "-o", "json"))
    assert f'"version":"{told["version"]}"' in first
    assert told["version"] not in second
    assert told["configuration"]["secrets"] == {name: {"key": "<hidden>"}}
    text = muster("device", device_id, "--at", between)
    assert f"EdgeWorkload/{name} at {told['sources'][1]['revision']}" in text
    assert "image: web:1" in text
    assert VALUE not in text + str(told)
    assert "workloads" not in muster("device", device_id, "--at", before)
    assert "image: web:2" in muster("device", device_id)
    older = muster("history", "edgeworkload", name).splitlines()[2]
    assert older.endswith("web for the kiosk")
    muster("rollback", "edgeworkload", name, "--to", older.split()[0])
    assert device.call("GET", "configuration").body.decode() == first
    muster("delete", "edgeworkload", name)
    assert "image: web:1" in muster("device", device_id, "--at", between)


def test_a_time_at_which_there_was_nothing_is_told_as_such(device: Device, served: Served) -> None:
    """Before the history, before the device, before it registered, and never; in the future; no time at all."""
    old = served.muster("device", device.device_id, "--at", "2001-01-01T00:00:00Z")
    assert (old.returncode, "the history begins at " in old.stderr) == (1, True)
    newer = Device(device.client, device.operator)
    early = now()
    assert newer.enrol().status == 201
    between = now()
    newer.become("registered")
    done = served.muster("device", newer.device_id, "--at", early)
    assert (done.returncode, "did not exist yet: it was first heard of at" in done.stderr) == (1, True)
    done = served.muster("device", newer.device_id, "--at", between)
    assert (done.returncode, "the device was pending" in done.stdout) == (0, True)
    assert "never been heard of" in served.muster("device", "nobody-knows").stderr
    future = served.muster("device", device.device_id, "--at", "2101-01-01")
    assert (future.returncode, "is in the future" in future.stderr) == (1, True)
    wrong = served.muster("device", device.device_id, "--at", "yesterday")
    assert (wrong.returncode, "is no time" in wrong.stderr) == (2, True)


def test_a_moment_is_a_time_or_so_long_ago() -> None:
    """Without an offset it is UTC."""
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert moment("2026-11-22 10:00", at) == "2026-11-22T10:00:00+00:00"
    assert moment("2026-11-22T10:00:00+02:00", at) == "2026-11-22T10:00:00+02:00"
    for text, passed in (("90s", timedelta(seconds=90)), ("2h", timedelta(hours=2)), ("3d ago", timedelta(days=3))):
        assert moment(text, at) == (at - passed).isoformat()
    for text in ("", "soon", "2026-13-01", "-5m", "999999999d"):
        with pytest.raises(CommandError, match="--at"):
            moment(text, at)
