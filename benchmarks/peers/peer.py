"""A peer as a running program."""

import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from benchmarks.errors import BenchmarkError

_READY_WITHIN_S: Final = 30.0
_STOP_WITHIN_S: Final = 5.0


class Peer:
    """Started on entering and ready when it accepts connections on its port; stopped on leaving."""

    def __init__(self, argv: Sequence[str], port: int, log: Path, environ: Mapping[str, str] | None = None) -> None:
        self._argv = list(argv)
        self._port = port
        self._log = log
        self._environ = environ

    @property
    def address(self) -> str:
        """URL of the peer."""
        return f"http://127.0.0.1:{self._port}"

    def processes(self) -> list[psutil.Process]:
        """Its own and those it started."""
        own = psutil.Process(self._process.pid)
        return [own, *own.children(recursive=True)]

    def __enter__(self) -> Self:
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                self._argv, env=self._environ, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + _READY_WITHIN_S
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._stop()
                raise BenchmarkError(f"{self._argv[0]} did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.05)
        return self

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        return True

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
