"""Where a simulated fleet calls, by settings and options."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.errors import CommandError
from cli.pki.init import init
from cli.simulate.device_plane import HostCertificate, device_plane
from local.free_ports import free_port
from settings import load
from tests.api.installation import api_process
from tests.cli.conftest import Served

NONE = HostCertificate(None, None, None)
APART = {"MUSTER_DEVICE_PORT": "8443"}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `muster pki init` makes."""
    folder = tmp_path_factory.mktemp("pki") / "pki"
    assert init(folder) == 0
    return folder


@pytest.mark.parametrize(
    ("variables", "options", "expected"),
    [
        ({}, (None, None), "http://127.0.0.1:8080"),
        ({}, (None, "http://there:80/"), "http://there:80"),
        (APART, (None, None), "http://127.0.0.1:8443"),
        (APART | {"MUSTER_DEVICE_HOST": "::1"}, (None, None), "http://[::1]:8443"),
        (APART, ("http://proxy:1/", None), "http://proxy:1"),
        (APART, (None, "http://there:80"), "http://there:80"),
    ],
)
def test_devices_call_where_the_settings_say(
    variables: dict[str, str], options: tuple[str | None, str | None], expected: str
) -> None:
    """The device plane's own address if it has one, unless an option names another."""
    assert device_plane(*options, NONE, load(variables)) == (expected, None)


def test_https_takes_the_certificate_beside_musters_own(pki: Path) -> None:
    """Where `muster pki init` put it; or the one that is given."""
    settings = load(APART | {"MUSTER_DEVICE_CERTIFICATE": str(pki / "server.crt")})
    for files in (NONE, HostCertificate(pki / "host.crt", pki / "host.key", pki / "ca.crt")):
        address, tls = device_plane(None, None, files, settings)
        assert address == "https://127.0.0.1:8443"
        assert tls
        assert [dict(each)["subject"] for each in tls.get_ca_certs()] == [((("organizationName", "flotta-operator"),),)]


@pytest.mark.parametrize(
    ("variables", "files", "said"),
    [
        ({"MUSTER_DEVICE_CERTIFICATE": "/elsewhere/server.crt"}, NONE, "give --cert, --key and --ca"),
        ({"MUSTER_DEVICE_CERTIFICATE": "/c"}, HostCertificate(Path("/c"), None, None), "belong together"),
        ({"MUSTER_DEVICE_CERTIFICATE": "/c"}, HostCertificate(Path("/c"), Path("/k"), None), "cannot call https://"),
        ({}, HostCertificate(Path("/c"), Path("/k"), None), "are for https"),
        ({"MUSTER_DEVICE_PROXY_HEADER": "Client-Cert"}, NONE, "--device-server"),
    ],
)
def test_what_is_missing_is_said(variables: dict[str, str], files: HostCertificate, said: str) -> None:
    """With the address that was meant."""
    with pytest.raises(CommandError, match=said) as refused:
        device_plane(None, None, files, load(APART | variables))
    assert refused.value.status == 2


@pytest.fixture(scope="module")
def apart(served: Served, pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An API process whose device plane asks for the Edge API's certificate."""
    further = {
        "MUSTER_DEVICE_PORT": str(free_port()),
        "MUSTER_DEVICE_CERTIFICATE": str(pki / "server.crt"),
        "MUSTER_DEVICE_KEY": str(pki / "server.key"),
        "MUSTER_DEVICE_CLIENT_CA": str(pki / "ca.crt"),
    }
    variables = {name: value for name, value in (served.variables | further).items() if name != "MUSTER_HTTP_PORT"}
    with api_process(variables, tmp_path_factory.mktemp("apart") / "log") as api:
        yield Served({**variables, "MUSTER_HTTP_PORT": str(api.port)})


def test_a_fleet_is_played_over_mutual_tls(apart: Served) -> None:
    """Devices call the device plane as the Edge API, the operator calls the management plane."""
    done = apart.muster(
        "simulate", "--devices", "4", "--period", "1", "--duration", "4", "--approve", "--prefix", "tls"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Calls to https://127.0.0.1:{apart.variables['MUSTER_DEVICE_PORT']}" in done.stdout
    assert "PUT heartbeat" in done.stdout
    assert "404" not in done.stdout
    assert "ledger: 0 of 0" not in done.stdout


def test_a_device_cannot_play_the_edge_api(apart: Served, pki: Path) -> None:
    """Its certificate is of the same CA: 403, and the summary says why."""
    files = ("--cert", str(pki / "device-device-1.crt"), "--key", str(pki / "device-device-1.key"))
    fleet = ("--devices", "1", "--period", "1", "--duration", "1", "--prefix", "forged")
    done = apart.muster("simulate", *fleet, *files, "--ca", str(pki / "ca.crt"))
    assert "POST enrolment 403: only the Edge API calls here" in done.stdout


def test_from_another_folder_it_says_where_it_looked(served: Served, tmp_path: Path) -> None:
    """And suggests no new installation there."""
    elsewhere = served.variables | {"MUSTER_DATA": str(tmp_path)}
    done = Served(elsewhere).muster("simulate", "--devices", "1")
    assert done.returncode == 2
    assert f"http://127.0.0.1:{served.variables['MUSTER_HTTP_PORT']}" in done.stderr
    assert f"ClickHouse at http://127.0.0.1:{served.variables['MUSTER_CLICKHOUSE_PORT']}" in done.stderr
    assert "muster setup" not in done.stderr
    assert done.stderr.count("\n") == 1
