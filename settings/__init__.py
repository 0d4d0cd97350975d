"""Every setting, read once from `MUSTER_*` variables into frozen values that are passed on in slices."""

from settings.calls import ApiSettings, CommandSettings, DeviceSettings
from settings.clickhouse import ClickHouseSettings, RetentionSettings
from settings.heartbeats import HeartbeatSettings, StreamSettings
from settings.kafka import KafkaSettings
from settings.listeners import HttpSettings
from settings.load import SettingsError, describe, load
from settings.values import KeySettings, LocalSettings, Settings

__all__ = [
    "ApiSettings",
    "ClickHouseSettings",
    "CommandSettings",
    "DeviceSettings",
    "HeartbeatSettings",
    "HttpSettings",
    "KafkaSettings",
    "KeySettings",
    "LocalSettings",
    "RetentionSettings",
    "Settings",
    "SettingsError",
    "StreamSettings",
    "describe",
    "load",
]
