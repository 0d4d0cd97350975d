"""What a worker answers to probes, over real sockets."""

import json
import os
from collections.abc import Iterator
from http.client import HTTPConnection
from socket import socket

import pytest
from prometheus_client import CollectorRegistry, Gauge

from local.free_ports import free_port
from streams.worker_health import LIVE_WITHIN_S, PARTITIONS, STATE, WorkerHealth
from streams.worker_listener import listen


class Clock:
    """Time that passes when it is told to."""

    now_s = 100.0

    def __call__(self) -> float:
        """Seconds of a steady clock."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """Set by the test."""
    return Clock()


@pytest.fixture
def health(clock: Clock) -> WorkerHealth:
    """Of a worker that needs its partitions and its state."""
    return WorkerHealth((PARTITIONS, STATE), clock)


@pytest.fixture
def connection(health: WorkerHealth) -> Iterator[HTTPConnection]:
    """To a listener with one metric."""
    registry = CollectorRegistry()
    Gauge("lag", "Records.", registry=registry).set(7)
    port = free_port()
    listen(registry, health, "127.0.0.1", port)
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    yield connection
    connection.close()


def _get(connection: HTTPConnection, path: str) -> tuple[int, bytes]:
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_ready_means_that_nothing_is_missing(connection: HTTPConnection, health: WorkerHealth) -> None:
    """What is, is named; partitions that are given out anew make it wait again."""
    status, body = _get(connection, "/health/ready")
    assert status == 503
    assert json.loads(body) == {"ready": False, "missing": ["partitions", "state"], "process": os.getpid()}
    health.has(PARTITIONS)
    health.has(STATE)
    assert _get(connection, "/health/ready")[0] == 200
    health.lacks(PARTITIONS)
    assert json.loads(_get(connection, "/health/ready")[1])["missing"] == ["partitions"]


def test_a_loop_that_no_longer_turns_is_neither_live_nor_ready(
    connection: HTTPConnection, health: WorkerHealth, clock: Clock
) -> None:
    """Until it turns again."""
    health.has(PARTITIONS)
    health.has(STATE)
    clock.now_s += LIVE_WITHIN_S
    assert _get(connection, "/health/live")[0] == 503
    assert _get(connection, "/health/ready")[0] == 503
    health.turned()
    assert _get(connection, "/health/live")[0] == 200
    assert _get(connection, "/health/ready")[0] == 200


def test_any_other_path_shows_the_metrics(connection: HTTPConnection) -> None:
    """As scrapers ask for them."""
    status, body = _get(connection, "/metrics")
    assert status == 200
    assert b"\nlag 7.0\n" in body


def test_a_port_in_use_ends_nothing(health: WorkerHealth, capsys: pytest.CaptureFixture[str]) -> None:
    """It is only said, with what to set."""
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen(CollectorRegistry(), health, "127.0.0.1", taken.getsockname()[1])
    assert "METRICS_PORT" in capsys.readouterr().out
