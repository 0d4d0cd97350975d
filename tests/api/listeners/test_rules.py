"""Settings under which nothing stands open."""

import pytest

from api.listeners.rules import check_listeners, is_loopback
from settings import SettingsError, load

HTTP_TLS = {"MUSTER_HTTP_CERTIFICATE": "/c", "MUSTER_HTTP_KEY": "/k"}
TOKEN = {"MUSTER_HTTP_TOKEN_FILE": "/t"}
ELSEWHERE = {"MUSTER_HTTP_HOST": "10.0.0.1"}
DEVICE_TLS = {"MUSTER_DEVICE_CERTIFICATE": "/c", "MUSTER_DEVICE_KEY": "/k", "MUSTER_DEVICE_CLIENT_CA": "/ca"}
DEVICE_PORT = {"MUSTER_DEVICE_PORT": "8443"}
PROXIED = DEVICE_PORT | {"MUSTER_DEVICE_PROXY_HEADER": "Client-Cert"}
EVERYWHERE = {"MUSTER_DEVICE_HOST": "0.0.0.0"}  # noqa: S104


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"MUSTER_HTTP_HOST": "::1"},
        DEVICE_PORT,
        DEVICE_PORT | DEVICE_TLS,
        DEVICE_PORT | DEVICE_TLS | EVERYWHERE,
        PROXIED,
        PROXIED | DEVICE_TLS | EVERYWHERE | {"MUSTER_DEVICE_PROXY_NAMES": "proxy.example"},
        ELSEWHERE | HTTP_TLS | TOKEN | DEVICE_PORT,
        TOKEN,
    ],
)
def test_closed_listeners_are_allowed(variables: dict[str, str]) -> None:
    """Loopback as it is, elsewhere with all that asks who calls."""
    check_listeners(load(variables))


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        (ELSEWHERE, "MUSTER_HTTP_CERTIFICATE and MUSTER_HTTP_KEY and MUSTER_HTTP_TOKEN_FILE"),
        (ELSEWHERE | HTTP_TLS, "MUSTER_HTTP_TOKEN_FILE"),
        (ELSEWHERE | TOKEN, "MUSTER_HTTP_CERTIFICATE"),
        (ELSEWHERE | HTTP_TLS | TOKEN, "MUSTER_DEVICE_PORT"),
        ({"MUSTER_HTTP_HOST": "muster.example"}, "MUSTER_HTTP_CERTIFICATE"),
        ({"MUSTER_HTTP_CERTIFICATE": "/c"}, "MUSTER_HTTP_KEY"),
        (DEVICE_PORT | EVERYWHERE, "MUSTER_DEVICE_CLIENT_CA"),
        (PROXIED | EVERYWHERE, "MUSTER_DEVICE_CLIENT_CA"),
        (PROXIED | DEVICE_TLS, "MUSTER_DEVICE_PROXY_NAMES"),
        (PROXIED | {"MUSTER_DEVICE_PROXY_NAMES": "proxy.example"}, "MUSTER_DEVICE_CLIENT_CA"),
        (PROXIED | DEVICE_TLS | {"MUSTER_DEVICE_PROXY_NAMES": "proxy.example,::1"}, "::1 stands in the Edge API's"),
        (DEVICE_PORT | DEVICE_TLS | {"MUSTER_DEVICE_PROXY_NAMES": "proxy.example"}, "MUSTER_DEVICE_PROXY_HEADER"),
        (PROXIED | {"MUSTER_DEVICE_PROXY_ADDRESSES": "haproxy"}, "MUSTER_DEVICE_PROXY_ADDRESSES='haproxy'"),
        (PROXIED | {"MUSTER_DEVICE_PROXY_ADDRESSES": " "}, "MUSTER_DEVICE_PROXY_ADDRESSES"),
        (PROXIED | {"MUSTER_DEVICE_CLIENT_NAMES": ""}, "MUSTER_DEVICE_CLIENT_NAMES"),
        ({"MUSTER_DEVICE_PROXY_HEADER": "Client-Cert"}, "MUSTER_DEVICE_PORT"),
        (DEVICE_PORT | {"MUSTER_DEVICE_CERTIFICATE": "/c"}, "MUSTER_DEVICE_KEY and MUSTER_DEVICE_CLIENT_CA"),
        (DEVICE_PORT | {"MUSTER_DEVICE_CLIENT_CRL": "/r"}, "MUSTER_DEVICE_CERTIFICATE"),
        (DEVICE_TLS, "MUSTER_DEVICE_PORT"),
        (DEVICE_PORT | DEVICE_TLS | {"MUSTER_DEVICE_CLIENT_NAMES": " ,"}, "MUSTER_DEVICE_CLIENT_NAMES"),
        ({"MUSTER_DEVICE_PORT": "8080"}, "MUSTER_DEVICE_PORT"),
    ],
)
def test_open_listeners_are_refused_with_what_to_set(variables: dict[str, str], named: str) -> None:
    """The message names the missing variables."""
    with pytest.raises(SettingsError, match=named):
        check_listeners(load(variables))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.0.1", True), ("localhost", True), ("0.0.0.0", False), ("::", False), ("", False)],  # noqa: S104
)
def test_loopback_is_what_only_this_machine_reaches(host: str, expected: bool) -> None:  # noqa: FBT001
    """All interfaces are not loopback."""
    assert is_loopback(host) is expected
