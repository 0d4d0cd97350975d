"""The way of heartbeats: into Kafka, and from there into ClickHouse."""

from typing import Annotated

from msgspec import Meta, Struct


class HeartbeatSettings(Struct, frozen=True):
    """The way of heartbeats into Kafka."""

    partitions: Annotated[
        int, Meta(ge=1, le=1024, description="partitions of the heartbeats topic; fixed once it exists")
    ] = 12
    retention_h: Annotated[
        int, Meta(ge=1, description="hours Kafka keeps heartbeats: the longest outage of the workers to survive")
    ] = 72
    window_ms: Annotated[
        int,
        Meta(
            ge=1,
            le=500,
            description="heartbeats of a busy partition are collected this long; an idle one sends at once",
        ),
    ] = 25
    in_flight_bytes: Annotated[
        int, Meta(ge=1_000_000, description="bytes of unacknowledged heartbeats a process holds; above, it answers 503")
    ] = 64_000_000
    retention_guard_share: Annotated[
        float,
        Meta(gt=0, le=1, description="share of the retention the unread part may reach before heartbeats get 503"),
    ] = 0.9


class StreamSettings(Struct, frozen=True):
    """The workers between Kafka and ClickHouse."""

    heartbeat_batch_records: Annotated[
        int, Meta(ge=1, description="Kafka records taken from a fetch at a time; a batch is at most 24 times as many")
    ] = 5000
    heartbeat_batch_ms: Annotated[
        int, Meta(ge=10, description="how long records gather for a batch; half as long again while many come")
    ] = 1000
    repeat_within_ms: Annotated[
        int, Meta(ge=0, description="an equal heartbeat within this is the Edge API trying again")
    ] = 1500
    stall_exit_s: Annotated[
        int, Meta(ge=5, description="a worker with lag but no progress for this long exits, to be started again")
    ] = 60
    session_timeout_s: Annotated[
        int, Meta(ge=6, description="a worker silent for this long has lost its partitions to the others")
    ] = 10
    metrics_host: Annotated[str, Meta(description="address at which workers tell metrics and health")] = "127.0.0.1"
    heartbeats_metrics_port: Annotated[
        int, Meta(ge=0, le=65535, description="port of the heartbeat worker's metrics and health; 0: none")
    ] = 8081
    commands_metrics_port: Annotated[
        int, Meta(ge=0, le=65535, description="port of the deciding worker's metrics and health; 0: none")
    ] = 8082
