"""Every metric of the workers, named once with its meaning.

A worker is one process, so it shows its own at its own port (`streams.worker_listener`); a scraper adds workers up.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BATCH_BUCKETS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_DELAY_BUCKETS_S: Final = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 3600)
"""Heartbeats are to be visible within 5 s; an hour is a backlog after an outage."""


class WorkerMetrics:
    """The metrics of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.lag = Gauge(
            "muster_worker_lag_records", "Records of the worker's topic not committed yet.", registry=self.registry
        )
        self.heartbeats = Counter(
            "muster_heartbeats_consumed", "Heartbeats written, replays included.", registry=self.registry
        )
        self.batch_s = Histogram(
            "muster_heartbeat_batch_seconds",
            "Time from taking a batch of records to its last write.",
            buckets=_BATCH_BUCKETS_S,
            registry=self.registry,
        )
        self.delay_s = Histogram(
            "muster_heartbeat_delay_seconds",
            "Time from a record's acceptance by the broker to its rows being readable.",
            buckets=_DELAY_BUCKETS_S,
            registry=self.registry,
        )
        self.devices = Gauge(
            "muster_devices_remembered", "Devices whose last heartbeat is in memory.", registry=self.registry
        )
        self.inserted = Counter("muster_inserted_rows", "Rows written, by table.", ("table",), registry=self.registry)
        self.insert_s = Histogram(
            "muster_insert_seconds",
            "Time of an insert, by table.",
            ("table",),
            buckets=_BATCH_BUCKETS_S,
            registry=self.registry,
        )
        self.dead_letters = Counter(
            "muster_dead_letters", "What could not be read and was put aside.", registry=self.registry
        )
