"""`python -m api`: one API process. Several share a port when MUSTER_HTTP_PROCESSES says so."""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any, Final, Literal

import structlog
import uvicorn

from api.asgi import Application
from api.http_protocol import MusterHttpProtocol
from api.listeners.rules import check_listeners
from api.metrics_folder import share_metrics
from fleet.freed_memory import keep_freed_memory
from settings import Settings, SettingsError, load
from settings.logs import configure_logs

_KEEP_ALIVE_S: Final = 120
"""Longer than Go keeps an idle connection (90 s): the Edge API must not send a POST into one we have just closed."""

_FINISH_WITHIN_S: Final = 1
"""For requests under way when the process is told to stop; a device's call ends within its deadline anyway."""

_BACKLOG: Final = 2048

_KEPT_BYTES: Final = 64 << 20
"""Of freed memory: more than the calls take that wait for one acknowledgement, and little beside a fleet."""

_log = structlog.get_logger("api")


def main() -> int:
    """Serve until SIGTERM or SIGINT.

    Gives the exit status: 2 for what a setting must change, 1 when the process ends by itself to be started again.
    """
    configure_logs("api")
    keep_freed_memory(_KEPT_BYTES)
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_, _end)
    try:
        settings = load(os.environ)
        check_listeners(settings)
        with contextlib.ExitStack() as open_sockets:
            addresses = [(settings.http.host, settings.http.port, "MUSTER_HTTP")]
            if settings.device.port:
                addresses.append((settings.device.host, settings.device.port, "MUSTER_DEVICE"))
            is_shared = settings.http.processes > 1
            _serve(settings, [open_sockets.enter_context(_bind(*each, is_shared=is_shared)) for each in addresses])
    except SettingsError as error:
        _log.error("not started", reason=str(error))
        return 2
    # Told to stop, it ends by the signal.
    return 1


def _serve(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    if settings.http.processes > 1:
        share_metrics(settings.local.data / "metrics" / "api")
    # Only now, since metrics choose between one process and many when they are imported.
    from api.app import create_app  # noqa: PLC0415 - see above
    from api.listeners.server import Listener, ListeningServer  # noqa: PLC0415 - see above

    def end() -> None:
        server.should_exit = True

    apps = create_app(settings, end)
    management, device = apps.management, apps.device
    certificates = apps.certificates
    listeners = [
        Listener(_configured(management.app, lifespan="on"), sockets[0], certificates.management, management.light)
    ]
    if device:
        listeners.append(
            Listener(_configured(device.app, lifespan="off"), sockets[1], certificates.device, device.light)
        )
    server = ListeningServer(listeners, settings.tls.reload_s, apps.certificates.look, apps.end_watches)
    server.run()


def _configured(app: Application, *, lifespan: Literal["on", "off"]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=MusterHttpProtocol,
        loop="uvloop",
        ws="none",
        lifespan=lifespan,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_FINISH_WITHIN_S,
    )


def _bind(host: str, port: int, variables: str, *, is_shared: bool) -> socket.socket:
    """A socket to listen on. Raises SettingsError when the address cannot be had; `variables` is their first part."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(f"{variables}_HOST={host!r} is no address to listen on: {error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error.strerror}; set {variables}_PORT or {variables}_HOST"
        ) from error
    return listener


def _end(*_: Any) -> None:
    """Before the server runs, a signal ends the process; afterwards uvicorn raises it again when it has finished.

    At once, since nothing is under way: an exception would come up wherever the process stands, and a module that is
    being imported may swallow it or make another of it.
    """
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
