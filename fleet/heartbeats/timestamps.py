"""Reads the times devices report: RFC 3339, any offset, up to nine fractional digits, and zero times for “never”."""

import re
from datetime import UTC, datetime
from typing import Final

_RFC_3339: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9})\d*)?\s*([Zz]|[+-]\d{2}:?\d{2})?", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS: Final = 86_400_000
_USUAL_LENGTH: Final = len("2026-11-01T05:06:07.123Z")
"""As the Edge API encodes times, so nearly all are of this length and need no search for their parts."""

_ZERO: Final = "0001-01-01T00:00:00.000Z"
"""Go's, as the Edge API encodes it: of a workload that never uploaded anything, which is most of them."""

_LATEST_YEAR: Final = 2283
"""Up to here every reader's DateTime64 and nanoseconds in 64 bits hold; later is a broken clock."""


def read_time_ms(text: str | None) -> int | None:
    """Unix time in milliseconds, cut, or None for “never”: absent, not a time, up to 1970, or past the year 2283.

    Go's zero time is the year 1, and 1970-01-01T00:00:00Z is what cleared timestamps become; a device's true upload
    is never that old. A time without offset is read as UTC.
    """
    if not text or text == _ZERO:
        return None
    if len(text) == _USUAL_LENGTH and text[4] + text[7] + text[10] + text[19] + text[23] == "--T.Z":
        return _unix_ms(_moment(text))
    match = _RFC_3339.fullmatch(text.strip())
    if match is None:
        return None
    date, clock, fraction, offset = match.groups()
    zone = "+00:00" if offset is None or offset in "Zz" else offset
    return _unix_ms(_moment(f"{date}T{clock}.{(fraction or '')[:3].ljust(3, '0')}{zone}"))


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _unix_ms(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    try:
        since = moment - _EPOCH
    except OverflowError:
        return None
    milliseconds = since.days * _DAY_MS + since.seconds * 1000 + since.microseconds // 1000
    return milliseconds if milliseconds > 0 and moment.year <= _LATEST_YEAR else None
