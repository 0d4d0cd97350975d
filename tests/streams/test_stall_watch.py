"""What counts as standing still."""

from streams.stall_watch import Progress, advance, stalled


def test_only_partitions_with_something_left_are_watched() -> None:
    """An idle worker commits nothing, and that is right."""
    assert advance({}, {0: 5, 1: 4, 2: 9}, {0: 5, 1: 5, 2: 8}, now_s=10) == {1: Progress(4, 10)}


def test_time_counts_from_the_last_commit() -> None:
    """Slow is not stalled."""
    progress = advance({}, {0: 4}, {0: 90}, now_s=10)
    progress = advance(progress, {0: 4}, {0: 95}, now_s=40)
    assert stalled(progress, now_s=40, after_s=30) == 0
    assert stalled(progress, now_s=39, after_s=30) is None
    progress = advance(progress, {0: 5}, {0: 99}, now_s=69)
    assert stalled(progress, now_s=70, after_s=30) is None


def test_a_partition_that_caught_up_starts_anew() -> None:
    """Lag that comes back later is new lag."""
    progress = advance({0: Progress(4, 10)}, {0: 6}, {0: 6}, now_s=60)
    assert progress == {}
    assert advance(progress, {0: 6}, {0: 7}, now_s=100) == {0: Progress(6, 100)}


def test_one_stalled_partition_among_moving_ones_is_found() -> None:
    """The others' progress hides nothing."""
    progress = {0: Progress(4, 90), 1: Progress(4, 10), 2: Progress(4, 80)}
    assert stalled(progress, now_s=100, after_s=60) == 1
