"""Logs what devices are refused: the Edge API shows our messages to nobody, so our log is where an operator looks.

One line per device, call and status in a while, and a bounded number of lines a second over all: who may enrol any id
may not fill a disk. What is left out is counted and said.
"""

from collections import OrderedDict
from typing import Any

import structlog

_QUIET_S = 60.0
"""The same refusal of the same device is said once in this time; agents repeat every 5 to 60 s."""

_REMEMBERED = 20_000
"""Refusals remembered as said; the oldest is forgotten first, and then said again."""

_LINES_PER_S = 50
"""Over all devices."""

_log = structlog.get_logger(__name__)


class RefusalLog:
    """Bounded memory of what was said. Times are seconds of any steady clock."""

    def __init__(self, logger: Any = _log) -> None:
        self._logger = logger
        self._said: OrderedDict[tuple[str, str, int], float] = OrderedDict()
        self._second = 0
        self._lines = 0
        self._left_out = 0

    def add(self, now_s: float, call: str, *, namespace: str, device: str, status: int, reason: str) -> None:
        """Say it, unless it was said lately. `device` is the path where that has no device in it."""
        key = (device, call, status)
        said_s = self._said.get(key)
        if said_s is not None and now_s - said_s < _QUIET_S:
            self._left_out += 1
            return
        if int(now_s) != self._second:
            self._second, self._lines = int(now_s), 0
        if self._lines >= _LINES_PER_S:
            self._left_out += 1
            return
        self._lines += 1
        self._said[key] = now_s
        self._said.move_to_end(key)
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
        left_out, self._left_out = self._left_out, 0
        self._logger.warning(
            "device call refused",
            namespace=namespace,
            device=device,
            call=call,
            status=status,
            reason=reason,
            refusals_not_logged_since_last=left_out,
        )
