"""Ctrl-C and SIGTERM as one exception, raised once, never in the middle of what must not be torn."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """Someone asked this process to stop. Like KeyboardInterrupt it is no Exception, not to be caught by accident."""


class StopSignals:
    """While entered, the first SIGINT, SIGTERM or SIGHUP raises StopRequested in the main thread; later ones do not."""

    def __init__(self) -> None:
        self._is_requested = False
        self._is_raised = False
        self._holds = 0
        self._previous: dict[signal.Signals, Any] = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put the exception off until the end of the block."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
        self._raise_if_due()

    def __enter__(self) -> Self:
        # A terminal's end that was to be ignored, as by nohup, still is.
        heard = [number for number in _SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
        self._previous = {number: signal.signal(number, self._handle) for number in heard}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self._is_requested = True
        self._raise_if_due()

    def _raise_if_due(self) -> None:
        if self._is_requested and not self._is_raised and self._holds == 0:
            self._is_raised = True
            raise StopRequested
