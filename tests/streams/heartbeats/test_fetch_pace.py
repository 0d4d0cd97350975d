"""How long heartbeats gather at the broker."""

from streams.heartbeats.fetch_pace import BUSY_BYTES, FetchLimits, NextFetch, next_fetch

LIMITS = FetchLimits(partition_bytes=4_000_000, total_bytes=50_000_000)


def test_few_wait_as_long_as_the_setting_says() -> None:
    """Then a heartbeat is seen soon."""
    assert next_fetch([1000, 2000], 12, 1000, LIMITS).wait_ms == 1000


def test_many_gather_half_as_long_again() -> None:
    """Then a batch is worth what it costs."""
    assert next_fetch([BUSY_BYTES // 2] * 2, 12, 1000, LIMITS) == NextFetch(1500, 36_000_000)


def test_a_partition_that_was_cut_off_is_asked_again_at_once() -> None:
    """It has more waiting, whatever the others have."""
    assert next_fetch([3_990_000, 10], 12, 1000, LIMITS).min_bytes == 1


def test_no_fetch_waits_for_more_than_it_may_bring() -> None:
    """Neither with few partitions, nor with many, nor with small records: a backlog flows."""
    assert next_fetch([10], 1, 1000, LIMITS).min_bytes == 3_000_000
    assert next_fetch([10], 100, 1000, LIMITS).min_bytes == 37_500_000
    assert next_fetch([10], 12, 1000, FetchLimits(100_000, 50_000_000)).min_bytes == 900_000
