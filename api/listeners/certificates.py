"""All listeners' certificates: what is wrong with them, or will be soon, for the log, the metrics and readiness."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

import structlog

from api.listeners.client_ends import ClientEnds
from api.listeners.handshakes import HandshakeLog
from api.listeners.peer import Peer
from api.listeners.tls_context import TlsPaths, device_paths, management_paths
from api.listeners.tls_files import TlsFiles
from api.metrics import ApiMetrics
from settings import Settings

_DAY_S: Final = 24 * 3600.0
_WARNED_EVERY_S: Final = _DAY_S

_log = structlog.get_logger(__name__)


class _Ending(NamedTuple):
    """A certificate or list that ends soon: which, when (Unix time), in how many days, and what to do."""

    what: str
    at_s: float
    days: float
    remedy: str


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

        self.management = read("management", management_paths(settings))
        self.device = read("device", device_paths(settings))
        self._clients = ClientEnds()
        self.look()

    def client_was_let_in(self, peer: Peer) -> None:
        """An Edge API called; its certificate ends one day too."""
        self._clients.note(peer, self._wall_clock_s())

    def degraded(self) -> list[str]:
        """Reasons for readiness: what ends within the days of `MUSTER_TLS_WARNING_DAYS`, or could not be reloaded."""
        ending = [f"{end.what} {_when(end.days)}: {end.remedy}" for end in self._ending()]
        return ending + [files.trouble for files in self._all() if files.trouble]

    def look(self) -> None:
        """Log what ends soon, once a day, and keep the metric current."""
        now_s = self._wall_clock_s()
        for files in self._all():
            for end in files.ends:
                self._metrics.certificate_ends.labels(end.file.setting).set(end.at.timestamp())
        if clients := self._clients.current(now_s):
            self._metrics.certificate_ends.labels("client").set(min(client.at_s for client in clients))
        for ending in self._ending():
            if now_s - self._warned_s.get(ending.what, -_WARNED_EVERY_S) >= _WARNED_EVERY_S:
                self._warned_s[ending.what] = now_s
                _log.warning(
                    "certificate ends", setting=ending.what, remedy=ending.remedy,
                    at=datetime.fromtimestamp(ending.at_s, UTC).isoformat(), days_left=round(ending.days, 1),
                )  # fmt: skip

    def _ending(self) -> list[_Ending]:
        now_s = self._wall_clock_s()

        def ending(what: str, at_s: float, remedy: str) -> _Ending:
            return _Ending(what, at_s, (at_s - now_s) / _DAY_S, remedy)

        found = [
            ending(end.file.setting, end.at.timestamp(), f"renew {end.file.path}")
            for files in self._all()
            for end in files.ends
        ]
        found += [
            ending(f"the Edge API's certificate ({client.names})", client.at_s, "renew flotta-host-certificate there")
            for client in self._clients.current(now_s)
        ]
        return [each for each in found if each.days < self._warning_days]

    def _all(self) -> list[TlsFiles]:
        return [files for files in (self.management, self.device) if files]


def _when(days: float) -> str:
    return f"ends in {days:.0f} days" if days > 0 else "has ended"
