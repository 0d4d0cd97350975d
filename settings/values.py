"""What can be set, in which unit, within which bounds, and why the default is what it is.

A slice's field `b` under the slice `a` is read from the variable `MUSTER_A_B`; fields of `Settings` itself, and those
of slices marked with an empty prefix, from `MUSTER_B`.
"""

from pathlib import Path
from typing import Annotated

import platformdirs
from msgspec import Meta, Struct, field

from settings.calls import ApiSettings, CommandSettings, DeviceSettings
from settings.clickhouse import ClickHouseSettings, RetentionSettings
from settings.heartbeats import HeartbeatSettings, StreamSettings
from settings.kafka import KafkaSettings
from settings.listeners import DeviceListenerSettings, HttpSettings, TlsSettings


class LocalSettings(Struct, frozen=True):
    """Where this machine keeps things. Variables: `MUSTER_DATA`, `MUSTER_CACHE`, `MUSTER_BACKGROUND_NICENESS`."""

    data: Annotated[Path, Meta(description="folder of everything that must survive a restart")] = Path(
        ".muster"
    ).absolute()
    cache: Annotated[
        Path | None, Meta(description="folder of downloads, outside the checkout; default: the user's cache folder")
    ] = None
    background_niceness: Annotated[
        int,
        Meta(ge=0, le=19, description="how far ClickHouse and the heartbeat worker stand back for who answers calls"),
    ] = 10


class KeySettings(Struct, frozen=True):
    """Key material; made at set-up unless given."""

    folder: Annotated[Path | None, Meta(description="folder of keys and passwords; default: MUSTER_DATA/keys")] = None


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
