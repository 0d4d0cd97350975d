"""`muster approve -f`, `muster device reset-key` and `revoke` against a running installation."""

from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from cli.devices.preauthorisation_file import MISTAKES_SHOWN, check_file, read_batches
from cli.errors import CommandError
from cli.simulate.calls import BASE_PATH
from tests.api.fleet import certificate_request
from tests.cli.conftest import Served


def call(served: Served, method: str, device_id: str, name: str, body: object = None) -> int:
    """What the Edge API is answered."""
    base = f"http://127.0.0.1:{served.variables['MUSTER_HTTP_PORT']}{BASE_PATH}"
    path = f"{base}/namespaces/default/devices/{device_id}/{name}"
    return httpx.request(method, path, json=body, timeout=20).status_code


def register(served: Served, device_id: str, request: str) -> int:
    """A device shows its key."""
    return call(served, "PUT", device_id, "registration", {"certificate_request": request, "hardware": {}})


def write(folder: Path, *lines: str) -> Path:
    """A file of these lines."""
    file = folder / "devices.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_devices_of_a_file_join_without_asking_twice(served: Served, tmp_path: Path) -> None:
    """Their sets and labels are the file's; sending it again changes nothing; a new key needs an operator's leave."""
    first, second = (f"dev-{uuid4().hex[:8]}" for _ in range(2))
    file = write(tmp_path, "device,set,site", f"{first},kiosks,north", f"{second},,")
    done = served.muster("approve", "-f", str(file))
    assert (done.returncode, done.stdout) == (0, "2 approved, 0 were already, 0 refused\n"), done.stderr
    assert served.muster("approve", "-f", str(file)).stdout == "0 approved, 2 were already, 0 refused\n"
    selected = served.muster("get", "edgedevices", "-l", "site=north,flotta/member-of=kiosks", "-o", "name").stdout
    assert selected == f"edgedevice/{first}\n"
    key, other = certificate_request(first), certificate_request(first)
    assert register(served, first, key) == 200
    assert call(served, "GET", first, "configuration") == 200
    for _ in range(20):
        if register(served, first, other) == 403:
            break
        call(served, "GET", first, "configuration")
    assert served.muster("device", "reset-key", first).stdout == f"edgedevice/{first} may register another key once\n"
    assert register(served, first, certificate_request(first)) == 200
    assert served.muster("device", "revoke", first, "--message", "stolen").stdout == f"edgedevice/{first} revoked\n"
    assert call(served, "GET", first, "configuration") == 404
    refused = served.muster("approve", "-f", str(file))
    assert refused.returncode == 1
    assert f"{first}: device {first} is revoked" in refused.stderr


def test_a_file_with_mistakes_is_told_line_by_line_and_not_sent(served: Served, tmp_path: Path) -> None:
    """Ids, namespaces, sets and labels are checked before anything is approved."""
    good = f"dev-{uuid4().hex[:8]}"
    file = write(tmp_path, "device,namespace,site", f"{good},,", "Big,,", f"{good},,", "d2,No,", "d3,,not a label")
    done = served.muster("approve", "-f", str(file))
    assert done.returncode == 1
    assert [f":{line}:" in done.stderr for line in (2, 3, 4, 5, 6)] == [False, True, True, True, True]
    assert "nothing was approved" in done.stderr
    assert served.muster("get", "edgedevice", good).returncode == 1


@pytest.mark.parametrize("lines", [["name"], ["device,device"], ["device,bad label"], ["device", "a,b"], [""]])
def test_columns_that_make_no_sense_are_refused(tmp_path: Path, lines: list[str]) -> None:
    """With the line."""
    with pytest.raises(CommandError, match=r"devices\.csv:\d"):
        check_file(write(tmp_path, *lines), "default")


def test_mistakes_told_are_bounded_and_batches_of_a_size(tmp_path: Path) -> None:
    """A file of a million devices is neither held nor told of as a whole."""
    file = write(tmp_path, "device", *(f"Wrong{number}" for number in range(100)))
    assert len(check_file(file, "default")[1]) == MISTAKES_SHOWN
    file = write(tmp_path, "device,namespace", *(f"d{number}," for number in range(5)))
    assert check_file(file, "default") == (5, [])
    batches = list(read_batches(file, "plant", 2))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert batches[0][0] == {"device": "d0", "namespace": "plant", "set": "", "labels": {}}


def test_a_leave_for_a_device_that_is_not_there_is_refused(served: Served) -> None:
    """With what is known of it."""
    done = served.muster("device", "reset-key", "nobody")
    assert done.returncode == 1
    assert "nobody is not registered in namespace default" in done.stderr
