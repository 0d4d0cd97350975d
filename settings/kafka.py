"""The brokers, ours or outside ones."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from settings.ports import Port


class KafkaSettings(Struct, frozen=True):
    """The brokers. Variables: `MUSTER_KAFKA` and `MUSTER_KAFKA_*`."""

    servers: Annotated[
        str, Meta(description="bootstrap servers of an outside cluster, host:port,…; empty: start a local broker")
    ] = ""
    tls: Annotated[bool, Meta(description="speak TLS with outside brokers; so also with any of the three files")] = (
        False
    )
    ca: Annotated[
        Path | None, Meta(description="CA (PEM) by which outside brokers are verified; default: the system's")
    ] = None
    certificate: Annotated[Path | None, Meta(description="certificate (PEM) shown to outside brokers")] = None
    key: Annotated[Path | None, Meta(description="private key (PEM) of that certificate")] = None
    user: Annotated[str, Meta(description="user at outside brokers (SASL)")] = ""
    password_file: Annotated[Path | None, Meta(description="file with that user's password")] = None
    mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], Meta(description="how the password is proven")
    ] = "SCRAM-SHA-512"
    port: Annotated[Port, Meta(description="port of the local broker; the next one is its controller's")] = 9092
    heap_mib: Annotated[int, Meta(ge=256, description="Java heap of the local broker")] = 512
    topic_prefix: Annotated[str, Meta(pattern=r"^[a-z0-9._-]+$", description="first part of the topics' names")] = (
        "muster"
    )
    replication: Annotated[
        int, Meta(ge=1, le=7, description="replicas of each topic; with 3, also a machine may die")
    ] = 1
    record_limit_bytes: Annotated[
        int, Meta(ge=65_536, description="largest Kafka record; a batch of heartbeats is cut below it")
    ] = 4_000_000

    @property
    def is_local(self) -> bool:
        """Whether the broker is ours to start."""
        return not self.servers

    @property
    def bootstrap(self) -> str:
        """Where clients connect first."""
        return self.servers or f"127.0.0.1:{self.port}"
