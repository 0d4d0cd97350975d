"""A worker's address for probes and scrapes: `/health/live`, `/health/ready` and, at any other path, its metrics.

Answered by threads, so that a loop that no longer turns can be told.
"""

import json
import os
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import CollectorRegistry, make_wsgi_app

from streams.worker_health import WorkerHealth

_PROBE_WITHIN_S: Final = 5.0
"""A caller that sends no request for this long is cut off, so that none holds a thread."""

_log = structlog.get_logger(__name__)

Respond = Callable[[str, list[tuple[str, str]]], Any]
App = Callable[[dict[str, Any], Respond], Iterable[bytes]]


def listen(registry: CollectorRegistry, health: WorkerHealth, host: str, port: int) -> None:
    """Answer in threads until the process ends. A port in use is only logged: work is worth more than its metrics."""
    if not port:
        return
    try:
        server = make_server(host, port, worker_app(registry, health), _Server, _Handler)
    except OSError as error:
        _log.warning("metrics are not shown: set another MUSTER_STREAMS_…_METRICS_PORT", port=port, reason=str(error))
        return
    Thread(target=server.serve_forever, name="worker-listener", daemon=True).start()


def worker_app(
    registry: CollectorRegistry, health: WorkerHealth
) -> Callable[[dict[str, Any], Respond], Iterable[bytes]]:
    """The same as a WSGI application. Answers about health name the process, as one port may change hands."""
    show_metrics = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], respond: Respond) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/health/live":
            return _say(respond, health.is_live, {"live": health.is_live})
        if path == "/health/ready":
            missing = health.missing if health.is_live else ["a turn of its loop", *health.missing]
            return _say(respond, not missing, {"ready": not missing, "missing": missing})
        shown: Iterable[bytes] = show_metrics(environ, respond)
        return shown

    return answer


def _say(respond: Respond, is_well: bool, body: dict[str, Any]) -> list[bytes]:  # noqa: FBT001 - private
    status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
    text = json.dumps({**body, "process": os.getpid()}).encode()
    respond(
        f"{status.value} {status.phrase}",
        [("Content-Type", "application/json"), ("Content-Length", str(len(text))), ("Cache-Control", "no-store")],
    )
    return [text]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = _PROBE_WITHIN_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Probes come all the time."""
