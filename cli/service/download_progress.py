"""Downloads as a person sees them: a bar with sizes on a terminal, a line per tenth in a log."""

from threading import Lock
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

_STEPS: Final = 10


class DownloadProgress:
    """Shows what is downloaded while it is entered; silent when nothing is."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = Lock()
        self._bar: Progress | None = None
        self._expected_bytes = 0
        self._arrived_bytes = 0

    def expect(self, files: int, size_bytes: int) -> None:
        """So much will be downloaded."""
        self._expected_bytes = size_bytes
        self._console.print(f"downloading Apache Kafka: {files} files, {size_bytes / 1e6:.1f} MB")
        if self._console.is_terminal:
            columns = (TextColumn("  "), BarColumn(), DownloadColumn(), TransferSpeedColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.add_task("", total=size_bytes)
            self._bar.start()

    def advance(self, size_bytes: int) -> None:
        """Another part arrived."""
        with self._lock:
            before = self._arrived_bytes * _STEPS // max(self._expected_bytes, 1)
            self._arrived_bytes += size_bytes
            after = self._arrived_bytes * _STEPS // max(self._expected_bytes, 1)
            if self._bar is not None:
                self._bar.advance(self._bar.task_ids[0], size_bytes)
            elif after != before:
                self._console.print(f"  {self._arrived_bytes / 1e6:.1f} of {self._expected_bytes / 1e6:.1f} MB")

    def note(self, line: str) -> None:
        """Something a person should read."""
        self._console.print(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
