"""All listeners' certificates: what is wrong with them, or will be soon, for the log, the metrics and readiness."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from api.listeners.handshakes import HandshakeLog
from api.listeners.tls_files import End, NamedFile, TlsFiles, TlsPaths
from api.metrics import ApiMetrics
from settings import Settings

_WARNED_EVERY_S: Final = 24 * 3600.0

_log = structlog.get_logger(__name__)


class Certificates:
    """TLS of the management plane and of the device plane, each None where the settings give no certificate.

    Raises SettingsError for files that cannot be used. `wall_clock_s` is Unix time.
    """

    def __init__(self, settings: Settings, metrics: ApiMetrics, wall_clock_s: Callable[[], float]) -> None:
        self._wall_clock_s = wall_clock_s
        self._warning_days = settings.tls.warning_days
        self._metrics = metrics
        self._warned_s: dict[str, float] = {}

        def read(listener: str, paths: TlsPaths | None) -> TlsFiles | None:
            if paths is None:
                return None

            def count(reason: str) -> None:
                metrics.refused_connections.labels(listener, reason).inc()

            return TlsFiles(paths, settings.tls.minimum, HandshakeLog(listener, count, time.monotonic))

        self.management = read("management", _management_paths(settings))
        self.device = read("device", _device_paths(settings))
        self.look()

    def degraded(self) -> list[str]:
        """Reasons for readiness: what ends within the days of `MUSTER_TLS_WARNING_DAYS`, or could not be reloaded."""
        ending = [f"{end.file.setting} {_when(days)}: renew {end.file.path}" for end, days in self._ending()]
        return ending + [files.trouble for files in self._all() if files.trouble]

    def look(self) -> None:
        """Log what ends soon, once a day, and keep the metric current."""
        for files in self._all():
            for end in files.ends:
                self._metrics.certificate_ends.labels(end.file.setting).set(end.at.timestamp())
        now_s = self._wall_clock_s()
        for end, days in self._ending():
            if now_s - self._warned_s.get(end.file.setting, -_WARNED_EVERY_S) >= _WARNED_EVERY_S:
                self._warned_s[end.file.setting] = now_s
                _log.warning(
                    "certificate ends", setting=end.file.setting, file=str(end.file.path), at=end.at.isoformat(),
                    days_left=round(days, 1),
                )  # fmt: skip

    def _ending(self) -> list[tuple[End, float]]:
        now = datetime.fromtimestamp(self._wall_clock_s(), UTC)
        left = [(end, (end.at - now).total_seconds() / 86_400) for files in self._all() for end in files.ends]
        return [(end, days) for end, days in left if days < self._warning_days]

    def _all(self) -> list[TlsFiles]:
        return [files for files in (self.management, self.device) if files]


def _management_paths(settings: Settings) -> TlsPaths | None:
    http = settings.http
    if not http.certificate or not http.key:
        return None
    return TlsPaths(NamedFile("MUSTER_HTTP_CERTIFICATE", http.certificate), NamedFile("MUSTER_HTTP_KEY", http.key))


def _device_paths(settings: Settings) -> TlsPaths | None:
    device = settings.device
    if not device.certificate or not device.key or not device.client_ca:
        return None
    return TlsPaths(
        NamedFile("MUSTER_DEVICE_CERTIFICATE", device.certificate),
        NamedFile("MUSTER_DEVICE_KEY", device.key),
        NamedFile("MUSTER_DEVICE_CLIENT_CA", device.client_ca),
        NamedFile("MUSTER_DEVICE_CLIENT_CRL", device.client_crl) if device.client_crl else None,
    )


def _when(days: float) -> str:
    return f"ends in {days:.0f} days" if days > 0 else "has ended"
