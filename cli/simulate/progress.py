"""The line that shows how a run goes: rewritten every second on a terminal, a new line every ten elsewhere."""

from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cli.simulate.measurements import Measurements

PLAIN_EVERY_S = 10.0


class Progress:
    """Shows counts and rates since the last line. A context manager; it writes to `console` alone."""

    def __init__(self, console: Console, devices: int) -> None:
        self._devices = devices
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._shown_at_s = 0.0
        self._calls = 0
        self._acknowledged = 0

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, elapsed_s: float, joined: int, measurements: Measurements, acknowledged: int) -> None:
        """Tell how far the run is; `joined` devices are registered and running."""
        since_s = elapsed_s - self._shown_at_s
        if self._live is None and elapsed_s and since_s < PLAIN_EVERY_S:
            return
        calls_per_s = (measurements.total - self._calls) / since_s if since_s > 0 else 0.0
        beats_per_s = (acknowledged - self._acknowledged) / since_s if since_s > 0 else 0.0
        self._shown_at_s, self._calls, self._acknowledged = elapsed_s, measurements.total, acknowledged
        self._write(
            f"{elapsed_s:5.0f} s  {joined:,}/{self._devices:,} devices  {calls_per_s:,.0f} calls/s  "
            f"{acknowledged:,} heartbeats acknowledged ({beats_per_s:,.0f}/s)  {measurements.errors:,} errors"
        )

    def show_ledger(self, found: int, wanted: int) -> None:
        """Tell how far the ledger is."""
        if self._live:
            self._write(f"ledger: {found:,} of {wanted:,} acknowledged heartbeats found in ClickHouse")

    def _write(self, line: str) -> None:
        if self._live:
            self._live.update(Text(line), refresh=True)
        else:
            self._console.print(line, highlight=False, soft_wrap=True)
