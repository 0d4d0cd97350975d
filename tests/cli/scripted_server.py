"""A server that answers as a test tells it to, for faults the real one shows rarely. It keeps what it was asked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import NamedTuple


class Asked(NamedTuple):
    """One request as it arrived; header names in the case and order of the wire."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Told(NamedTuple):
    """What to answer. Status 0 closes the connection without an answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class ScriptedServer:
    """`script` is given each request with its number, from 0, and says what to answer."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked: list[Asked] = []


@contextmanager
def scripted_server(script: Callable[[Asked, int], Told]) -> Iterator[ScriptedServer]:
    """Serve on a free port of loopback until the end of the block."""
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, list(self.headers.items()), body)
            with lock:
                number = len(server.asked)
                server.asked.append(asked)
            told = script(asked, number)
            if not told.status:
                self.close_connection = True
                return
            self.send_response_only(told.status)
            for name, value in told.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def handle(self) -> None:
            # A client that hung up is what some tests are about.
            with suppress(ConnectionError):
                super().handle()

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the base class's names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        server = ScriptedServer(f"http://127.0.0.1:{listener.server_address[1]}")
        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
