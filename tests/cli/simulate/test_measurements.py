"""Counting without keeping."""

from cli.simulate.measurements import Durations, Measurements


def test_quantiles_are_exact_to_a_bucket() -> None:
    """Within 3 % of the true value, and never above the longest."""
    durations = Durations()
    for number in range(1, 1001):
        durations.add(number / 1000)
    for share, true_s in ((0.5, 0.5), (0.9, 0.9), (0.99, 0.99)):
        assert true_s <= durations.quantile_s(share) * 1.001
        assert durations.quantile_s(share) <= true_s * 1.03
    assert durations.quantile_s(1.0) == durations.longest_s == 1.0


def test_times_beyond_the_buckets_are_counted() -> None:
    """Zero and hours fall into the first and the last bucket."""
    durations = Durations()
    durations.add(0.0)
    durations.add(10_000.0)
    assert durations.count == 2
    assert durations.longest_s == 10_000.0
    assert Durations().quantile_s(0.5) == 0.0


def test_errors_are_faults_and_server_errors() -> None:
    """A refusal that the contract foresees is none."""
    measurements = Measurements()
    measurements.add("GET configuration", "200", 0.001)
    measurements.add("GET configuration", "404", 0.001)
    measurements.add("GET configuration", "503", 0.001)
    measurements.add("GET configuration", "connection refused", None)
    assert (measurements.total, measurements.errors) == (4, 2)
    assert measurements.latencies["GET configuration"].count == 3
