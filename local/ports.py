"""Whether the ports are free, asked before anything is started: a child's own words about it come late and vary."""

import errno
import socket
import time
from typing import Final, NamedTuple

import psutil

from local.errors import LocalError

_WAIT_S: Final = 3.0
"""Children of a Muster that was killed a moment ago are still on their way out."""


class WantedPort(NamedTuple):
    """A port someone is going to listen on, the setting that moves it, and the host's if that can be set."""

    host: str
    port: int
    purpose: str
    setting: str
    host_setting: str = ""


def require_free(wanted: list[WantedPort], wait_s: float = _WAIT_S) -> None:
    """Raises LocalError naming the first port that cannot be had, who has it, and the setting to change."""
    deadline = time.monotonic() + wait_s
    for port in wanted:
        while (error := _bind_error(port)) is not None:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise LocalError(_message(port, error))
            time.sleep(0.1)


def is_free(wanted: WantedPort) -> bool:
    """Whether it could be had now."""
    return _bind_error(wanted) is None


def _bind_error(wanted: WantedPort) -> OSError | None:
    family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
    with socket.socket(family) as probe:
        # A port whose last connections are still winding down is free; one that is listened on is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((wanted.host, wanted.port))
        except OverflowError:
            return OSError(errno.EINVAL, "there are only ports up to 65535")
        except OSError as error:
            return error
    return None


def _message(wanted: WantedPort, error: OSError) -> str:
    what = f"port {wanted.port} on {wanted.host}, for {wanted.purpose},"
    if error.errno == errno.EADDRINUSE:
        return f"{what} is in use{_owner(wanted.port)}: set {wanted.setting} to a free one"
    is_of_host = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
    setting = wanted.host_setting if is_of_host and wanted.host_setting else wanted.setting
    return f"{what} cannot be used ({error.strerror}): set {setting} to another one"


def _owner(port: int) -> str:
    """Who listens there, if this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr or connection.laddr.port != port:
                continue
            if connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return ""
