"""Times that devices report."""

from datetime import UTC, datetime

import pytest

from fleet.heartbeats.timestamps import read_time_ms


def _ms(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("2022-03-04T05:06:07.123+02:00", _ms(2022, 3, 4, 3, 6, 7) + 123),
        ("2022-03-04T05:06:07Z", _ms(2022, 3, 4, 5, 6, 7)),
        ("2022-03-04T05:06:07.123456789Z", _ms(2022, 3, 4, 5, 6, 7) + 123),
        ("2022-03-04T05:06:07.9999Z", _ms(2022, 3, 4, 5, 6, 7) + 999),
        ("2022-03-04T05:06:07.5-11:30", _ms(2022, 3, 4, 16, 36, 7) + 500),
        ("2022-03-04t05:06:07z", _ms(2022, 3, 4, 5, 6, 7)),
        ("2022-03-04T05:06:07", _ms(2022, 3, 4, 5, 6, 7)),
    ],
)
def test_offsets_and_fractions_are_read(text: str, expected_ms: int) -> None:
    """Any offset, up to nine fractional digits, cut to milliseconds."""
    assert read_time_ms(text) == expected_ms


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "0001-01-01T00:00:00.000Z",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T02:00:00.000+02:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2022-13-01T00:00:00Z",
        "2022-03-04T25:00:00Z",
        "2022-03-04T05:06:07+99:00",
        "yesterday",
        "1646370367",
    ],
)
def test_zero_times_and_nonsense_mean_never(text: str | None) -> None:
    """Go's zero time, 1970 and what is no time are all “never”, and none of them raises."""
    assert read_time_ms(text) is None
