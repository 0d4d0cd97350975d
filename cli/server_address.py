"""Which server a command talks to: the one named by `--server`, or this machine's."""

import ssl
from pathlib import Path
from urllib.parse import urlsplit

from api.listeners.admin_token import read_admin_token
from api.listeners.rules import is_loopback
from cli.errors import CommandError
from cli.http_client import Server
from fleet.decisions.change_message import check_message
from settings import Settings
from settings.named_files import NamedFile
from settings.pem_files import verifying

USAGE_STATUS = 2

ANSWER_MARGIN_S = 5.0


def server_address(given: str | None, settings: Settings) -> str:
    """The address without a path at its end. Raises CommandError on what is no http(s) URL."""
    if given is None:
        http = settings.http
        return address_of(http.host, http.port, is_https=http.certificate is not None)
    return checked_address("--server", given)


def checked_address(option: str, given: str) -> str:
    """What an option gives, without a path at its end. Raises CommandError on what is no http(s) URL."""
    address = urlsplit(given)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise CommandError(f"{option} {given!r} is no address: write it as http://host:port", USAGE_STATUS)
    return given.rstrip("/")


def address_of(host: str, port: int, *, is_https: bool) -> str:
    """Of a listener on this machine."""
    # An address to listen on everywhere is none to call.
    near = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not listened on
    scheme = "https" if is_https else "http"
    return f"{scheme}://[{near}]:{port}" if ":" in near else f"{scheme}://{near}:{port}"


def open_server(given: str | None, settings: Settings, message: str = "", within_s: float | None = None) -> Server:
    """A connection that waits a little longer than the server lets an operator wait.

    `message` says why it will change what it changes; `within_s` is for calls that take another time. Raises
    CommandError, and BadInputError for what is no message.
    """
    address = server_address(given, settings)
    timeout_s = (within_s or settings.api.operator_deadline_ms / 1000) + ANSWER_MARGIN_S
    return Server(
        address,
        timeout_s,
        token=admin_token(address, settings),
        verified_by=trusted(settings.http.ca),
        message=check_message(message),
    )


def admin_token(address: str, settings: Settings) -> str:
    """The admin token, if there is one; never sent where others could read it. Raises SettingsError."""
    file = settings.http.token_file
    url = urlsplit(address)
    if file is None or (url.scheme == "http" and not is_loopback(url.hostname or "")):
        return ""
    return read_admin_token(file).decode("ascii")


def trusted(ca: Path | None) -> ssl.SSLContext:
    """By which a management plane with https is verified; None: the system's. Raises SettingsError."""
    return verifying(NamedFile("MUSTER_HTTP_CA", ca) if ca else None)
