"""Certificates that change, are revoked or come to their end while the process runs."""

import ssl
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from local.free_ports import free_port
from tests.api.go_client import path_of
from tests.api.installation import Api, api_process, until
from tests.api.listeners.authority import Authority, Pair
from tests.api.listeners.conftest import Listening

pytestmark = pytest.mark.usefixtures("deciding")

READ = path_of("nobody", "configuration")


@pytest.fixture
def own(tmp_path: Path) -> Authority:
    """A CA of the test's own, whose files may change."""
    return Authority(tmp_path)


@contextmanager
def listening_with(
    variables: dict[str, str], authority: Authority, server: Pair, log: Path, **further: object
) -> Iterator[Listening]:
    """An API process that looks at its files every second."""
    port = free_port()
    settings = {
        "DEVICE_PORT": port,
        "DEVICE_CERTIFICATE": server.certificate,
        "DEVICE_KEY": server.key,
        "DEVICE_CLIENT_CA": authority.file,
        "TLS_RELOAD_S": 1,
    }
    with api_process(variables, log, **settings, **further) as api:
        yield Listening(api, port, authority)


def degraded(api: Api) -> str:
    """What readiness says is wrong."""
    return " ".join(httpx.get(f"{api.url}/health/ready").json()["degraded"])


def is_cut_off(call: Callable[[], object]) -> bool:
    """Whether there is no connection."""
    try:
        call()
    except httpx.TransportError:
        return True
    return False


def test_a_revoked_certificate_gets_no_connection_once_the_list_changed(
    variables: dict[str, str],
    own: Authority,
    tmp_path: Path,
) -> None:
    """Nor does the connection it had; others are served on."""
    host, other = own.host(), own.host("other")
    with listening_with(
        variables,
        own,
        own.server(),
        tmp_path / "log",
        DEVICE_CLIENT_CRL=own.revoke(),
        DEVICE_CLIENT_NAMES="edge.example",
    ) as listening:
        url = f"https://127.0.0.1:{listening.device_port}{READ}"
        with httpx.Client(verify=own.client_context(host)) as kept:
            assert kept.get(url).status_code == 404
            own.revoke(host)
            until(lambda: is_cut_off(lambda: kept.get(url)))
        assert is_cut_off(lambda: listening.get(READ, host))
        assert listening.get(READ, other).status_code == 404
        labels = {"listener": "device", "reason": "revoked"}
        assert listening.metric("muster_tls_connections_refused_total", **labels) >= 1


def test_changed_files_are_used_and_unusable_ones_are_not(
    variables: dict[str, str],
    own: Authority,
    tmp_path: Path,
) -> None:
    """A renewed certificate is shown within seconds; a key that does not fit leaves the former pair in use."""
    server, host = own.server(), own.host()
    with listening_with(variables, own, server, tmp_path / "log") as listening:
        shown = _serial(listening)
        renewed = own.server("renewed")
        server.key.write_bytes(b"half a ke")
        until(lambda: "MUSTER_DEVICE_KEY" in degraded(listening.api))
        assert listening.get(READ, host).status_code == 404
        assert _serial(listening) == shown
        server.certificate.write_bytes(renewed.certificate.read_bytes())
        server.key.write_bytes(renewed.key.read_bytes())
        until(lambda: _serial(listening) != shown)
        assert listening.get(READ, host).status_code == 404
        assert degraded(listening.api) == ""


def test_the_end_of_a_certificate_is_told_in_time(
    variables: dict[str, str],
    own: Authority,
    tmp_path: Path,
) -> None:
    """In the log, as a metric and in readiness, which stays 200: 29 days before, but not for one of a year."""
    server = own.server(valid=timedelta(days=29))
    with listening_with(variables, own, server, tmp_path / "log") as listening:
        told = degraded(listening.api)
        assert "MUSTER_DEVICE_CERTIFICATE ends in 29 days" in told
        assert "CLIENT_CA" not in told
        assert listening.get(READ, own.host(valid=timedelta(days=9))).status_code == 404
        assert "the Edge API's certificate (127.0.0.1, ::1, edge.example) ends in 9 days" in degraded(listening.api)
        assert "certificate ends" in (tmp_path / "log").read_text()
        end = x509.load_pem_x509_certificate(server.certificate.read_bytes()).not_valid_after_utc.timestamp()
        name = "muster_certificate_end_timestamp_seconds"
        assert listening.metric(name, setting="MUSTER_DEVICE_CERTIFICATE") == end


def test_tls_1_2_is_spoken_where_the_setting_allows_it(
    variables: dict[str, str],
    own: Authority,
    tmp_path: Path,
) -> None:
    """With `MUSTER_TLS_MINIMUM=1.2` both versions, client certificates included, and nothing older."""
    host = own.host()
    with listening_with(variables, own, own.server(), tmp_path / "log", TLS_MINIMUM="1.2") as listening:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = own.client_context(host)
            context.minimum_version = context.maximum_version = version
            assert listening.get_with(READ, context).status_code == 404
            without = own.client_context(None)
            without.minimum_version = without.maximum_version = version
            assert is_cut_off(lambda context=without: listening.get_with(READ, context))
        older = own.client_context(host)
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            older.minimum_version = older.maximum_version = ssl.TLSVersion.TLSv1_1
        older.set_ciphers("ALL:@SECLEVEL=0")
        assert is_cut_off(lambda: listening.get_with(READ, older))


def _serial(listening: Listening) -> int:
    """Of the certificate that is shown."""
    pem = ssl.get_server_certificate(("127.0.0.1", listening.device_port))
    return x509.load_pem_x509_certificate(pem.encode()).serial_number
