"""The database, ours or an outside one, and how long its tables keep their rows."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from settings.ports import Port


class ClickHouseSettings(Struct, frozen=True):
    """The database. Variables: `MUSTER_CLICKHOUSE` and `MUSTER_CLICKHOUSE_*`."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/:@?#\s]+(:\d{1,5})?/?)?$",
            description="http(s)://host:port of an outside ClickHouse; empty: start the local endpoint",
        ),
    ] = ""
    ca: Annotated[
        Path | None, Meta(description="CA (PEM) by which an outside ClickHouse is verified; default: the system's")
    ] = None
    port: Annotated[Port, Meta(description="port of the local endpoint")] = 8123
    database: Annotated[str, Meta(pattern=r"^[a-z_][a-z0-9_]*$", description="database of all tables")] = "muster"
    user: Annotated[str, Meta(description="user that owns the database")] = "muster"
    password_file: Annotated[
        Path | None, Meta(description="file with that user's password; default: MUSTER_DATA/keys/muster")
    ] = None
    replicated: Annotated[
        bool, Meta(description="keep the tables on every replica of an outside cluster; for the life of the database")
    ] = False
    cluster: Annotated[
        str, Meta(pattern=r"^[\w.-]+$", description="that cluster's name in the servers' configuration; one shard")
    ] = "default"
    query_memory_mib: Annotated[
        int, Meta(ge=64, description="memory one query may take in the local engine, so that ingest goes on")
    ] = 2048
    query_timeout_s: Annotated[int, Meta(ge=1, description="time one query may take in the local engine")] = 60
    body_limit_mib: Annotated[
        int, Meta(ge=1, description="largest request to the local endpoint, unpacked; it is held in memory")
    ] = 256
    result_limit_mib: Annotated[
        int, Meta(ge=1, description="largest answer of the local endpoint in a format it cannot stream")
    ] = 256
    owner_queries: Annotated[
        int, Meta(ge=1, le=64, description="statements of the owner the local engine runs at a time")
    ] = 8
    analyst_queries: Annotated[
        int, Meta(ge=1, le=64, description="queries of analysts it runs at a time, so that ingest keeps its share")
    ] = 2
    waiting_queries: Annotated[
        int, Meta(ge=0, description="statements of each of the two that may wait for their turn; more get 503")
    ] = 64

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is ours to start."""
        return not self.url

    @property
    def address(self) -> str:
        """The HTTP address, without a path."""
        return self.url or f"http://127.0.0.1:{self.port}"


class RetentionSettings(Struct, frozen=True):
    """Days each table keeps its rows; 0 keeps them for ever."""

    heartbeats_days: Annotated[int, Meta(ge=0, description="days rows of heartbeats are kept")] = 90
    transitions_days: Annotated[int, Meta(ge=0, description="days rows of transitions are kept")] = 365
    events_days: Annotated[int, Meta(ge=0, description="days rows of device_events are kept")] = 365
    minutes_days: Annotated[int, Meta(ge=0, description="days rows of fleet_minutes are kept")] = 730
