"""Which server a command talks to: the one named by `--server`, or this machine's."""

from urllib.parse import urlsplit

from cli.errors import CommandError
from cli.http_client import Server
from settings import Settings

USAGE_STATUS = 2

ANSWER_MARGIN_S = 5.0


def server_address(given: str | None, settings: Settings) -> str:
    """The address without a path at its end. Raises CommandError on what is no http(s) URL."""
    if given is None:
        host = settings.http.host
        # An address to listen on everywhere is none to call.
        near = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not listened on
        return f"http://[{near}]:{settings.http.port}" if ":" in near else f"http://{near}:{settings.http.port}"
    address = urlsplit(given)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise CommandError(f"--server {given!r} is no address: write it as http://host:port", USAGE_STATUS)
    return given.rstrip("/")


def open_server(given: str | None, settings: Settings) -> Server:
    """A connection that waits a little longer than the server lets an operator wait."""
    return Server(server_address(given, settings), settings.api.operator_deadline_ms / 1000 + ANSWER_MARGIN_S)
