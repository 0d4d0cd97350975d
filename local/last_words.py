"""Why a child died, as far as its last lines tell: structured logs and plain ones, tracebacks of Python and Java."""

import json
import re
from collections.abc import Sequence
from typing import Any

_GRAVE = frozenset({"error", "critical"})

_FRAME = re.compile(r"at [\w.$]+.*\(.*\)|\.\.\. \d+ more")
"""A line of a Java stack trace, which follows what it is about."""


def last_words(lines: Sequence[str]) -> str:
    """The last line that a person would take for the reason, or '' when there is none.

    That is the last error of a structured log, best one with a reason, or the last line that is none of such a log,
    such as the end of a traceback; else whatever was said last.
    """
    spoken = [line.strip() for line in lines if line.strip() and not _FRAME.fullmatch(line.strip())]
    errors: list[str] = []
    for line in reversed(spoken):
        entry = _entry(line)
        if entry is None:
            return errors[0] if errors else line
        if entry.get("level") in _GRAVE:
            reason = str(entry.get("reason") or entry.get("exception") or "").strip().rpartition("\n")[2]
            event = str(entry.get("event", "")).partition("\n")[0]
            if reason:
                return f"{event}: {reason}"
            errors.append(event)
    return errors[0] if errors else "".join(spoken[-1:])


def _entry(line: str) -> dict[str, Any] | None:
    """A line of a structured log."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
