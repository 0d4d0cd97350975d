"""A child counts as ready only when it says so itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from local.free_ports import free_port
from local.probes import AllReady, OwnReady, answers_ok


class Answers(ThreadingHTTPServer):
    """Gives the scripted answers in turn, the last one for ever."""

    def __init__(self, script: list[tuple[int, bytes]]) -> None:
        self.script = script
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Answers

    def do_GET(self) -> None:
        status, body = self.server.script[0]
        if len(self.server.script) > 1:
            self.server.script.pop(0)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@pytest.fixture
def answers() -> Iterator[Answers]:
    """A server to be scripted."""
    with Answers([(200, b"Ok.\n")]) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_200_is_ready_and_anything_else_is_not(answers: Answers) -> None:
    """A port that is open proves nothing."""
    port = answers.server_port
    assert answers_ok("0.0.0.0", port, "/ping")  # noqa: S104 - asked on loopback
    answers.script = [(503, b"{}")]
    assert not answers_ok("127.0.0.1", port, "/ping")
    assert not answers_ok("127.0.0.1", free_port(), "/ping")


def test_all_processes_of_a_shared_port_must_be_ready(answers: Answers) -> None:
    """One that answers often does not stand for the others, and a dead one does not count."""
    this, parent, dead = os.getpid(), os.getppid(), 2**22
    both = AllReady("127.0.0.1", answers.server_port, "/health/ready", processes=2)
    answers.script = [(200, b'{"process": %d}' % this)]
    assert not both()
    answers.script = [(200, b'{"process": %d}' % dead)]
    assert not both()
    answers.script = [(503, b"{}"), (200, b'{"process": %d}' % parent)]
    assert not both()
    assert both()


def test_only_a_child_of_ours_counts_where_others_may_listen(answers: Answers) -> None:
    """Another Muster's worker at the same port is ready, but not for us."""
    own = OwnReady("127.0.0.1", answers.server_port, "/health/ready")
    for stranger in (b'{"process": %d}' % os.getpid(), b'{"process": 4194304}', b"{}", b"Ok.\n"):
        answers.script = [(200, stranger)]
        assert not own()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        answers.script = [(200, b'{"process": %d}' % child.pid), (503, b'{"process": %d}' % child.pid)]
        assert own()
        assert not own()
