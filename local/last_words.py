"""Why a child died, as far as its last lines tell: structured logs and plain ones, tracebacks included."""

import json
from collections.abc import Sequence
from typing import Any

_GRAVE = frozenset({"error", "critical"})


def last_words(lines: Sequence[str]) -> str:
    """The last line that a person would take for the reason, or '' when there is none.

    That is the last error of a structured log, or the last line that is none of such a log, such as the end of a
    traceback; else whatever was said last.
    """
    spoken = [line.strip() for line in lines if line.strip()]
    for line in reversed(spoken):
        entry = _entry(line)
        if entry is None:
            return line
        if entry.get("level") in _GRAVE:
            return _told(entry)
    return spoken[-1] if spoken else ""


def _entry(line: str) -> dict[str, Any] | None:
    """A line of a structured log."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _told(entry: dict[str, Any]) -> str:
    event = str(entry.get("event", ""))
    reason = str(entry.get("reason") or entry.get("exception") or "").strip().rpartition("\n")[2]
    return f"{event}: {reason}" if reason else event
