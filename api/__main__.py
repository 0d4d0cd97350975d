"""`python -m api`: one API process. Several share a port when MUSTER_HTTP_PROCESSES says so."""

import os
import signal
import socket
import sys
from typing import Any, Final

import structlog
import uvicorn

from api.http_protocol import MusterHttpProtocol
from api.metrics_folder import share_metrics
from settings import HttpSettings, Settings, SettingsError, load
from settings.logs import configure_logs

_KEEP_ALIVE_S: Final = 120
"""Longer than Go keeps an idle connection (90 s): the Edge API must not send a POST into one we have just closed."""

_FINISH_WITHIN_S: Final = 1
"""For requests under way when the process is told to stop; a device's call ends within its deadline anyway."""

_BACKLOG: Final = 2048

_log = structlog.get_logger("api")


def main() -> int:
    """Serve until SIGTERM or SIGINT.

    Gives the exit status: 2 for what a setting must change, 1 when the process ends by itself to be started again.
    """
    configure_logs("api")
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_, _stop)
    try:
        settings = load(os.environ)
        with _listen(settings.http) as listener:
            _serve(settings, listener)
    except SettingsError as error:
        _log.error("not started", reason=str(error))
        return 2
    # Told to stop, it ends by the signal.
    return 1


def _serve(settings: Settings, listener: socket.socket) -> None:
    if settings.http.processes > 1:
        share_metrics(settings.local.data / "metrics" / "api")
    # Metrics choose between one process and many when they are imported.
    from api.app import create_app  # noqa: PLC0415

    def end() -> None:
        server.should_exit = True

    config = uvicorn.Config(
        create_app(settings, end),
        http=MusterHttpProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_FINISH_WITHIN_S,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[listener])


def _listen(http: HttpSettings) -> socket.socket:
    """The listening socket. Raises SettingsError when the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            http.host, http.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(f"MUSTER_HTTP_HOST={http.host!r} is no address to listen on: {error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if http.processes > 1:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"cannot listen on {http.host}:{http.port}: {error.strerror}; set MUSTER_HTTP_PORT or MUSTER_HTTP_HOST"
        ) from error
    return listener


def _stop(*_: Any) -> None:
    """Before the server runs, a signal ends the process; afterwards uvicorn raises it again when it has finished."""
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
