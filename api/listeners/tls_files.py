"""The files of one listener's TLS: read into a context, read again when they change, and known by when they end.

Files that changed into something unusable (half written, a key of another certificate) are refused as a whole: the
listener goes on with what it has, and `trouble` says why.
"""

import ssl
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import structlog

from api.listeners.file_stamp import file_stamp
from api.listeners.handshakes import HandshakeLog, telling
from api.listeners.tls_context import TlsPaths, tls_context
from settings import SettingsError
from settings.named_files import NamedFile
from settings.pem_files import read_certificates, read_revoked

_log = structlog.get_logger(__name__)


class End(NamedTuple):
    """When what a file holds ends to be valid; of several certificates in it, the first."""

    file: NamedFile
    at: datetime


class TlsFiles:
    """The context of one listener. `minimum` is a TLS version as `MUSTER_TLS_MINIMUM` has it."""

    def __init__(self, paths: TlsPaths, minimum: str, log: HandshakeLog) -> None:
        self._paths = paths
        self._minimum = minimum
        self._handshakes = log
        self._stamps = self._stamp()
        self.context = self._build()
        self.ends = list(self._read_ends())
        self.trouble = ""

    def reload(self) -> bool:
        """Whether the files changed and `context` is a new one. Takes milliseconds."""
        stamps = self._stamp()
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        try:
            context, ends = self._build(), list(self._read_ends())
        except SettingsError as error:
            self.trouble = f"{error}; the former files are still used"
            _log.error("changed certificates not used", reason=str(error))
            return False
        self.context, self.ends, self.trouble = context, ends, ""
        _log.info("certificates read again", files=[str(file.path) for file in self._paths.files()])
        return True

    def _stamp(self) -> list[Any]:
        return [file_stamp(file.path) for file in self._paths.files()]

    def _build(self) -> ssl.SSLContext:
        context = tls_context(self._paths, self._minimum)
        context.sslobject_class = telling(self._handshakes)
        return context

    def _read_ends(self) -> Iterator[End]:
        paths = self._paths
        for file in (paths.certificate, paths.client_ca):
            if file:
                yield End(file, min(each.not_valid_after_utc for each in read_certificates(file)))
        if paths.client_crl:
            # Past its next update OpenSSL refuses everyone, since the list may lack someone.
            updates = [each.next_update_utc for each in read_revoked(paths.client_crl)]
            if told := [update for update in updates if update]:
                yield End(paths.client_crl, min(told))
