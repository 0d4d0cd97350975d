"""Every metric of the API, named once with its meaning; `/metrics` sums them over the API processes.

With several processes each keeps its values in files of a shared folder (prometheus-client's multiprocess mode, which
`PROMETHEUS_MULTIPROC_DIR` switches on before this module is imported), and whichever process is asked adds them up.
"""

import os
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from api.call_seconds import CallSeconds

_FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"

_LATENCY_BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.7, 1.0)
"""0.6 is the device deadline's default, 0.7 the Edge API's, and a device hangs up after 1 s."""


class ApiMetrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.device_calls = CallSeconds(
            Histogram(
                "muster_device_call_seconds",
                "Time from a device call's body to its answer, by method, call and status.",
                ("method", "call", "status"),
                buckets=_LATENCY_BUCKETS_S,
                registry=self.registry,
            ),
            _LATENCY_BUCKETS_S,
        )
        self.requests = Counter(
            "muster_management_requests",
            "Requests of the management plane, by method and status.",
            ("method", "status"),
            registry=self.registry,
        )
        self.refused_connections = Counter(
            "muster_tls_connections_refused",
            "TLS handshakes that failed, by listener and reason.",
            ("listener", "reason"),
            registry=self.registry,
        )
        self.refused_peers = Counter(
            "muster_device_plane_peers_refused",
            "Calls of others than the Edge API, by who they are: device, other, or unknown (no proxy names them).",
            ("peer",),
            registry=self.registry,
        )
        self.certificate_ends = Gauge(
            "muster_certificate_end_timestamp_seconds",
            "When a certificate or list ends, Unix time, by the setting that names its file; client: the Edge API's.",
            ("setting",),
            multiprocess_mode="livemin",
            registry=self.registry,
        )
        self._heartbeats = Counter(
            "muster_heartbeats_produced", "Heartbeats acknowledged by Kafka.", registry=self.registry
        )
        self._records = Counter(
            "muster_heartbeat_records_produced", "Kafka records that carried them.", registry=self.registry
        )
        self._record_bytes = Counter(
            "muster_heartbeat_record_bytes_produced", "Bytes of those records' values.", registry=self.registry
        )
        self.applied_outcomes = Counter(
            "muster_feed_applied_outcomes",
            "Outcomes of the feed applied to this process's view.",
            registry=self.registry,
        )
        self.assembly_errors = Counter(
            "muster_configuration_assembly_errors",
            "Configurations that could not be assembled, each cause counted once.",
            registry=self.registry,
        )
        self.in_flight_bytes = self._gauge(
            "muster_heartbeat_in_flight_bytes", "Bytes of heartbeats awaiting Kafka's acknowledgement.", "livesum"
        )
        self.waiting_commands = self._gauge("muster_commands_waiting", "Changes whose outcome is awaited.", "livesum")
        self.feed_age_s = self._gauge(
            "muster_feed_age_seconds",
            "Seconds since the feed was known to be applied whole, at worst.",
            "livemax",
        )
        self.revision = self._gauge(
            "muster_feed_revision", "Revision applied by the process furthest behind.", "livemin"
        )
        self.devices = self._gauge("muster_devices_known", "Device ids this process knows, in any state.", "livemax")
        self.is_loaded = self._gauge("muster_fleet_loaded", "1 when every process has loaded the fleet.", "livemin")
        self.endangered = self._gauge(
            "muster_heartbeat_partitions_endangered",
            "Partitions that refuse heartbeats, because unread ones near the end of their retention.",
            "livemax",
        )
        self.lag = self._gauge("muster_heartbeat_lag_records", "Records of heartbeats not folded yet.", "livemax")

    def observe_record(self, heartbeats: int, size_bytes: int) -> None:
        """A record of heartbeats was acknowledged."""
        self._heartbeats.inc(heartbeats)
        self._records.inc()
        self._record_bytes.inc(size_bytes)

    def flush(self) -> None:
        """Hand over what is summed up before; at least once a second, so that other processes can show it."""
        self.device_calls.flush()

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format, over all processes; of the others, up to their last flush."""
        self.flush()
        folder = os.environ.get(_FOLDER_VARIABLE)
        if not folder:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _gauge(self, name: str, meaning: str, mode: Literal["livesum", "livemax", "livemin"]) -> Gauge:
        return Gauge(name, meaning, multiprocess_mode=mode, registry=self.registry)
