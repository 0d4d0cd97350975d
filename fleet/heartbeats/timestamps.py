"""Reads the times devices report: RFC 3339, any offset, up to nine fractional digits, and zero times for “never”."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_RFC_3339: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9})\d*)?\s*([Zz]|[+-]\d{2}:?\d{2})?", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_YEAR: Final = 2283
"""Up to here every reader's DateTime64 and nanoseconds in 64 bits hold; later is a broken clock."""


def read_time_ms(text: str | None) -> int | None:
    """Unix time in milliseconds, cut, or None for “never”: absent, not a time, up to 1970, or past the year 2283.

    Go's zero time is the year 1, and 1970-01-01T00:00:00Z is what cleared timestamps become; a device's true upload
    is never that old. A time without offset is read as UTC.
    """
    match = _RFC_3339.fullmatch(text.strip()) if text else None
    if match is None:
        return None
    date, clock, fraction, offset = match.groups()
    zone = "+00:00" if offset is None or offset in "Zz" else offset
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}{zone}")
        milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None
    milliseconds += int((fraction or "0")[:3].ljust(3, "0"))
    return milliseconds if milliseconds > 0 and moment.year <= _LATEST_YEAR else None
