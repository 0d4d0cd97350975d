"""What was observed is in the histogram after a flush, once, as if it had been observed there."""

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from api.call_seconds import CallSeconds

BOUNDS_S = (0.1, 0.5, 1.0)
SECONDS = [0.0, 0.05, 0.1, 0.11, 0.5, 0.9, 1.0, 1.5, 60.0]


def histogram(registry: CollectorRegistry) -> Histogram:
    """With the labels of calls."""
    return Histogram("calls", "Seconds.", ("method", "call", "status"), buckets=BOUNDS_S, registry=registry)


def exposed(registry: CollectorRegistry) -> list[str]:
    """Without the time of its making."""
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


def test_a_flush_gives_what_observing_would_have_given() -> None:
    """In every bucket, on the bounds too, the sum included."""
    direct, summed = CollectorRegistry(), CollectorRegistry()
    observed, calls = histogram(direct), CallSeconds(histogram(summed), BOUNDS_S)
    for status in (200, 503):
        for seconds in SECONDS:
            observed.labels("PUT", "heartbeat", str(status)).observe(seconds)
            calls.observe("PUT", "heartbeat", status, seconds)
        calls.flush()
    calls.flush()
    assert exposed(summed) == exposed(direct)
