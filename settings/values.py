"""What can be set, in which unit, within which bounds, and why the default is what it is.

A slice's field `b` under the slice `a` is read from the variable `MUSTER_A_B`; fields of `Settings` itself, and those
of slices marked with an empty prefix, from `MUSTER_B`.
"""

from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from msgspec import Meta, Struct, field

Port = Annotated[int, Meta(ge=1, le=65535)]


class LocalSettings(Struct, frozen=True):
    """Where this machine keeps things. Variables: `MUSTER_DATA`, `MUSTER_CACHE`."""

    data: Annotated[Path, Meta(description="folder of everything that must survive a restart")] = Path(
        ".muster"
    ).absolute()
    cache: Annotated[
        Path | None, Meta(description="folder of downloads, outside the checkout; default: the user's cache folder")
    ] = None


class HttpSettings(Struct, frozen=True):
    """The listener of the management plane. Loopback, unless it has TLS and a token of its own."""

    host: Annotated[str, Meta(description="address the API listens on")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="port of the API")] = 8080
    processes: Annotated[int, Meta(ge=1, le=64, description="API processes sharing the port")] = 1
    body_limit_bytes: Annotated[
        int, Meta(ge=1024, description="largest accepted body of a device's call; hardware is 10 to 20 kB")
    ] = 1_000_000
    resource_limit_bytes: Annotated[
        int, Meta(ge=1024, description="largest accepted resource; Kubernetes allows about 1.5 MB")
    ] = 1_500_000
    names: Annotated[
        str, Meta(description="further host names, comma-separated, by which people reach the management plane")
    ] = ""
    show_secrets: Annotated[
        bool, Meta(description="show values of Secrets to whoever may read resources; otherwise they are replaced")
    ] = False
    certificate: Annotated[
        Path | None, Meta(description="certificate chain (PEM) of the management plane; with it, https only")
    ] = None
    key: Annotated[Path | None, Meta(description="private key (PEM) of that certificate")] = None
    ca: Annotated[
        Path | None, Meta(description="CA (PEM) by which commands verify that certificate; default: the system's")
    ] = None
    token_file: Annotated[
        Path | None, Meta(description="file with the token that callers of the management plane must send as Bearer")
    ] = None


class DeviceListenerSettings(Struct, frozen=True):
    """The device plane at an address of its own: `MUSTER_DEVICE_*`. Elsewhere than on loopback only with all of TLS."""

    host: Annotated[str, Meta(description="address the device plane listens on, if it has a port of its own")] = (
        "127.0.0.1"
    )
    port: Annotated[
        int, Meta(ge=0, le=65535, description="port of the device plane; 0: it shares the management plane's")
    ] = 0
    certificate: Annotated[
        Path | None, Meta(description="certificate chain (PEM) shown to the Edge API; with it, https only")
    ] = None
    key: Annotated[Path | None, Meta(description="private key (PEM) of that certificate")] = None
    client_ca: Annotated[
        Path | None, Meta(description="the Flotta CA (PEM), which signs the Edge API's certificate")
    ] = None
    client_crl: Annotated[
        Path | None, Meta(description="that CA's revoked certificates (PEM); none when there is no such list")
    ] = None
    client_names: Annotated[
        str,
        Meta(description="names and addresses, comma-separated, one of which must stand in the client's SAN"),
    ] = "127.0.0.1,::1"


class TlsSettings(Struct, frozen=True):
    """What both listeners' TLS has in common."""

    minimum: Annotated[Literal["1.2", "1.3"], Meta(description="lowest TLS version spoken")] = "1.3"
    reload_s: Annotated[
        int, Meta(ge=1, description="seconds between looks at whether certificates, keys, CAs or lists changed")
    ] = 10
    warning_days: Annotated[
        int, Meta(ge=1, description="days before the end of a certificate at which warnings begin")
    ] = 30


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


class KeySettings(Struct, frozen=True):
    """Key material; made at set-up unless given."""

    folder: Annotated[Path | None, Meta(description="folder of keys and passwords; default: MUSTER_DATA/keys")] = None


class ApiSettings(Struct, frozen=True):
    """Deadlines of the API. The device hangs up after 1 s and the Edge API wants errors too within 700 ms."""

    device_deadline_ms: Annotated[int, Meta(ge=50, le=1000, description="longest answer to a device's call")] = 600
    operator_deadline_ms: Annotated[
        int, Meta(ge=100, description="longest wait for an operator's change to be applied before 504")
    ] = 10_000
    feed_stale_after_s: Annotated[
        int, Meta(ge=1, description="a process that lost its feed for longer refuses registrations")
    ] = 60
    status_deadline_ms: Annotated[
        int, Meta(ge=50, description="longest wait for what devices reported before they are shown without it")
    ] = 3000
    status_queries: Annotated[
        int, Meta(ge=1, le=64, description="pages whose reports a process reads from ClickHouse at a time")
    ] = 4
    remembered_configurations: Annotated[
        int, Meta(ge=1, description="devices whose assembled configuration a process remembers; equal ones are shared")
    ] = 1_000_000


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


class CommandSettings(Struct, frozen=True):
    """The way of changes."""

    window_ms: Annotated[int, Meta(ge=1, le=100, description="changes are collected and decided this long")] = 20
    remembered_requests: Annotated[
        int, Meta(ge=1000, description="how many of the last request ids are recognised as retries")
    ] = 100_000


class DeviceSettings(Struct, frozen=True):
    """Who may join."""

    initial_namespace: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
            description="namespace that devices ask for before they are registered; always exists",
        ),
    ] = "default"
    auto_approve: Annotated[bool, Meta(description="approve every device that enrols")] = False
    pending_limit: Annotated[
        int, Meta(ge=1, description="undecided enrolments kept at most, since anyone may enrol any id")
    ] = 100_000
    pending_expiry_h: Annotated[
        int, Meta(ge=1, description="hours after which an undecided enrolment is forgotten")
    ] = 7 * 24
    deletion_timeout_s: Annotated[
        int, Meta(ge=1, description="a device being deleted is removed after this, had it reported or not")
    ] = 3600


class StreamSettings(Struct, frozen=True):
    """The workers between Kafka and ClickHouse."""

    heartbeat_batch_records: Annotated[int, Meta(ge=1, description="Kafka records folded at a time")] = 1000
    heartbeat_batch_ms: Annotated[int, Meta(ge=10, description="longest wait for a batch to fill")] = 500
    repeat_within_ms: Annotated[
        int, Meta(ge=0, description="an equal heartbeat within this is the Edge API trying again")
    ] = 1500
    stall_exit_s: Annotated[
        int, Meta(ge=5, description="a worker with lag but no progress for this long exits, to be started again")
    ] = 60
    session_timeout_s: Annotated[
        int, Meta(ge=6, description="a worker silent for this long has lost its partitions to the others")
    ] = 10
    metrics_host: Annotated[str, Meta(description="address the workers' metrics are read at")] = "127.0.0.1"
    heartbeats_metrics_port: Annotated[
        int, Meta(ge=0, le=65535, description="port of the heartbeat worker's metrics; 0: none, for a second one here")
    ] = 8081
    commands_metrics_port: Annotated[
        int, Meta(ge=0, le=65535, description="port of the deciding worker's metrics; 0: none")
    ] = 8082


class RetentionSettings(Struct, frozen=True):
    """Days each table keeps its rows; 0 keeps them for ever."""

    heartbeats_days: Annotated[int, Meta(ge=0, description="days rows of heartbeats are kept")] = 90
    transitions_days: Annotated[int, Meta(ge=0, description="days rows of transitions are kept")] = 365
    events_days: Annotated[int, Meta(ge=0, description="days rows of device_events are kept")] = 365
    minutes_days: Annotated[int, Meta(ge=0, description="days rows of fleet_minutes are kept")] = 730


class Settings(Struct, frozen=True):
    """All of them. Read by `settings.load`, never from the environment elsewhere."""

    local: LocalSettings = field(default_factory=LocalSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    device: DeviceListenerSettings = field(default_factory=DeviceListenerSettings)
    tls: TlsSettings = field(default_factory=TlsSettings)
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    clickhouse: ClickHouseSettings = field(default_factory=ClickHouseSettings)
    keys: KeySettings = field(default_factory=KeySettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    heartbeats: HeartbeatSettings = field(default_factory=HeartbeatSettings)
    commands: CommandSettings = field(default_factory=CommandSettings)
    devices: DeviceSettings = field(default_factory=DeviceSettings)
    streams: StreamSettings = field(default_factory=StreamSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)

    @property
    def cache_folder(self) -> Path:
        """Folder of downloads."""
        return self.local.cache or Path(platformdirs.user_cache_dir("muster"))

    @property
    def keys_folder(self) -> Path:
        """Folder of keys and passwords."""
        return self.keys.folder or self.local.data / "keys"

    @property
    def clickhouse_password_file(self) -> Path:
        """File with the owner's password."""
        return self.clickhouse.password_file or self.keys_folder / self.clickhouse.user
