"""A child's output on its way into `logs/NAME.log`: bounded in size, and never in the child's way.

The file is turned over at LIMIT_BYTES, keeping one older file. When the disk is full the output is dropped rather than
held, so that the child goes on.
"""

import contextlib
import os
from collections import deque
from pathlib import Path
from threading import Thread
from typing import IO

LIMIT_BYTES = 10_000_000
"""Per file; a child has two. A day of ordinary lines, and small beside the data."""

_CHUNK_BYTES = 65_536
_REMEMBERED_LINES = 20
_LINE_LIMIT_BYTES = 2_000


class ChildOutput:
    """Copies a pipe into a log file in a thread of its own, until the pipe's other ends are closed."""

    def __init__(self, pipe: IO[bytes], log: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._pipe = pipe
        self._log = log
        self._limit_bytes = limit_bytes
        self._last_lines: deque[bytes] = deque(maxlen=_REMEMBERED_LINES)
        self._thread = Thread(target=self._copy, name=f"output of {log.stem}", daemon=True)
        self._thread.start()

    def last_lines(self) -> list[str]:
        """What was said last, cut where it is very long."""
        return [line.decode(errors="replace") for line in self._last_lines.copy()]

    def finish(self, within_s: float) -> None:
        """Wait until what the child said last is written."""
        self._thread.join(within_s)

    def _copy(self) -> None:
        rest = b""
        with self._pipe:
            while chunk := os.read(self._pipe.fileno(), _CHUNK_BYTES):
                *lines, rest = (rest + chunk).split(b"\n")
                rest = rest[-_LINE_LIMIT_BYTES:]
                self._last_lines.extend(line[:_LINE_LIMIT_BYTES] for line in lines[-_REMEMBERED_LINES:])
                with contextlib.suppress(OSError):
                    self._append(chunk)
        self._last_lines.append(rest)

    def _append(self, chunk: bytes) -> None:
        with self._log.open("ab") as stream:
            stream.write(chunk)
            size_bytes = stream.tell()
        if size_bytes > self._limit_bytes:
            self._log.replace(self._log.with_suffix(".log.1"))
