"""What `muster up` runs, in which order, and how each is known to be ready."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from local.child import Program, at_once
from local.kafka.broker import KafkaBroker
from local.kafka.jars import Progress
from local.ports import WantedPort, is_free
from local.probes import AllReady, OwnReady, answers_ok
from settings import Settings

_LOADED_WITHIN_S: Final = 600.0
"""A part is ready when it has loaded the fleet: a minute for a million devices on cores of its own, more on shared."""


def wanted_ports(settings: Settings) -> list[WantedPort]:
    """Every port something of ours is going to listen on."""
    ports = [WantedPort(settings.http.host, settings.http.port, "the API", "MUSTER_HTTP_PORT", "MUSTER_HTTP_HOST")]
    if settings.device.port:
        device = settings.device
        ports.append(WantedPort(device.host, device.port, "devices' calls", "MUSTER_DEVICE_PORT", "MUSTER_DEVICE_HOST"))
    if settings.kafka.is_local:
        kafka = settings.kafka.port
        ports.append(WantedPort("127.0.0.1", kafka, "Kafka", "MUSTER_KAFKA_PORT"))
        ports.append(WantedPort("127.0.0.1", kafka + 1, "Kafka's controller (one after Kafka's)", "MUSTER_KAFKA_PORT"))
    if settings.clickhouse.is_local:
        ports.append(WantedPort("127.0.0.1", settings.clickhouse.port, "ClickHouse", "MUSTER_CLICKHOUSE_PORT"))
    return ports


class Children:
    """The programs of one installation. `environ` is what `settings` were read from; the children read it again."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ

    def stores(self, progress: Progress) -> list[Program]:
        """Kafka and ClickHouse, as far as they are ours to run. Downloads what is missing; raises LocalError."""
        settings = self._settings
        programs = []
        if settings.kafka.is_local:
            broker = KafkaBroker(
                settings.local.data / "kafka",
                settings.cache_folder,
                settings.kafka.port,
                settings.kafka.heap_mib,
                settings.kafka.record_limit_bytes,
            )
            programs.append(broker.prepare(progress, self._log("kafka")))
        if settings.clickhouse.is_local:
            is_ready = partial(answers_ok, "127.0.0.1", settings.clickhouse.port, "/ping")
            program = self._python("clickhouse", ["local.clickhouse"], is_ready, "MUSTER_CLICKHOUSE_PORT")
            programs.append(self._behind(program))
        return programs

    def workers(self) -> list[Program]:
        """What stands between Kafka and ClickHouse. One that has no free port for its health counts at once."""
        streams = self._settings.streams
        ports = {"commands": streams.commands_metrics_port, "heartbeats": streams.heartbeats_metrics_port}
        workers = {name: self._worker(name, streams.metrics_host, port) for name, port in ports.items()}
        return [workers["commands"], self._behind(workers["heartbeats"])]

    def api(self) -> list[Program]:
        """The API processes, which share a port."""
        http = self._settings.http
        is_ready = AllReady(http.host, http.port, "/health/ready", http.processes, is_https=bool(http.certificate))
        names = [f"api-{number}" for number in range(1, http.processes + 1)]
        return [self._python(name, ["api"], is_ready, "MUSTER_HTTP_PORT") for name in names]

    def _worker(self, name: str, host: str, port: int) -> Program:
        setting = f"MUSTER_STREAMS_{name.upper()}_METRICS_PORT"
        can_tell = port and is_free(WantedPort(host, port, f"the {name} worker's metrics", setting))
        is_ready = OwnReady(host, port, "/health/ready") if can_tell else at_once
        return self._python(name, ["streams", name], is_ready, setting)

    def _behind(self, program: Program) -> Program:
        """Behind those who wait for an answer, who are with the API, the broker and the deciding worker."""
        return program._replace(niceness=self._settings.local.background_niceness)

    def _python(self, name: str, module: list[str], is_ready: Callable[[], bool], hint: str = "") -> Program:
        return Program(
            name=name,
            # -P: a folder called `api` where `muster` is called must not stand in for ours.
            argv=[sys.executable, "-P", "-m", *module],
            env={**self._environ, "MUSTER_DATA": str(self._settings.local.data), "PYTHONUNBUFFERED": "1"},
            log=self._log(name),
            is_ready=is_ready,
            ready_within_s=_LOADED_WITHIN_S,
            stop_within_s=2.5,
            hint=hint,
        )

    def _log(self, name: str) -> Path:
        return self._settings.local.data / "logs" / f"{name}.log"
