"""What `muster up` runs, in which order, and how each is known to be ready."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from local.child import Program
from local.kafka.broker import KafkaBroker
from local.kafka.jars import Progress
from local.ports import WantedPort
from local.probes import answers_ok
from settings import Settings


def wanted_ports(settings: Settings) -> list[WantedPort]:
    """Every port something of ours is going to listen on."""
    ports = [WantedPort(settings.http.host, settings.http.port, "the API", "MUSTER_HTTP_PORT")]
    if settings.kafka.is_local:
        kafka = settings.kafka.port
        ports.append(WantedPort("127.0.0.1", kafka, "Kafka", "MUSTER_KAFKA_PORT"))
        ports.append(WantedPort("127.0.0.1", kafka + 1, "Kafka's controller (one after Kafka's)", "MUSTER_KAFKA_PORT"))
    if settings.clickhouse.is_local:
        ports.append(WantedPort("127.0.0.1", settings.clickhouse.port, "ClickHouse", "MUSTER_CLICKHOUSE_PORT"))
    return ports


def stores(settings: Settings, progress: Progress) -> list[Program]:
    """Kafka and ClickHouse, as far as they are ours to run. Downloads what is missing; raises LocalError."""
    programs = []
    if settings.kafka.is_local:
        broker = KafkaBroker(
            settings.local.data / "kafka",
            settings.cache_folder,
            settings.kafka.port,
            settings.kafka.heap_mib,
            settings.kafka.record_limit_bytes,
        )
        programs.append(broker.prepare(progress, _log(settings, "kafka")))
    if settings.clickhouse.is_local:
        port = settings.clickhouse.port
        is_ready = _http_probe("127.0.0.1", port, "/ping")
        programs.append(_python(settings, "clickhouse", ["local.clickhouse"], is_ready, "MUSTER_CLICKHOUSE_PORT"))
    return programs


def workers(settings: Settings) -> list[Program]:
    """What stands between Kafka and ClickHouse. Heartbeats are accepted without them, so nobody waits for them."""
    return [_python(settings, name, ["streams", name], lambda: True) for name in ("commands", "heartbeats")]


def api(settings: Settings) -> list[Program]:
    """The API processes, which share a port."""
    is_ready = _http_probe(settings.http.host, settings.http.port, "/health/ready")
    names = [f"api-{number}" for number in range(1, settings.http.processes + 1)]
    return [_python(settings, name, ["api"], is_ready, "MUSTER_HTTP_PORT") for name in names]


def _python(settings: Settings, name: str, module: list[str], is_ready: Callable[[], bool], hint: str = "") -> Program:
    return Program(
        name=name,
        # -P: a folder called `api` where `muster` is called must not stand in for ours.
        argv=[sys.executable, "-P", "-m", *module],
        env={**os.environ, "MUSTER_DATA": str(settings.local.data), "PYTHONUNBUFFERED": "1"},
        log=_log(settings, name),
        is_ready=is_ready,
        stop_within_s=2.5,
        hint=hint,
    )


def _log(settings: Settings, name: str) -> Path:
    return settings.local.data / "logs" / f"{name}.log"


def _http_probe(host: str, port: int, path: str) -> Callable[[], bool]:
    return lambda: answers_ok(host, port, path)
