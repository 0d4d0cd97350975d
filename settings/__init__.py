"""Every setting, read once from `MUSTER_*` variables into frozen values that are passed on in slices."""

from settings.load import SettingsError, describe, load
from settings.values import (
    ApiSettings,
    ClickHouseSettings,
    CommandSettings,
    DeviceSettings,
    HeartbeatSettings,
    HttpSettings,
    KafkaSettings,
    KeySettings,
    LocalSettings,
    RetentionSettings,
    Settings,
    StreamSettings,
)

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
