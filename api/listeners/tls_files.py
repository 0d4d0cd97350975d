"""The files of one listener's TLS: read into a context, read again when they change, and known by when they end.

Files that changed into something unusable (half written, a key of another certificate) are refused as a whole: the
listener goes on with what it has, and `trouble` says why.
"""

import ssl
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog
from cryptography import x509

from api.listeners.handshakes import HandshakeLog, telling
from settings import SettingsError

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

_log = structlog.get_logger(__name__)


class NamedFile(NamedTuple):
    """A file and the variable that names it."""

    setting: str
    path: Path


class TlsPaths(NamedTuple):
    """What a listener needs; with `client_ca` it asks who connects."""

    certificate: NamedFile
    key: NamedFile
    client_ca: NamedFile | None = None
    client_crl: NamedFile | None = None

    def files(self) -> list[NamedFile]:
        """Those that are given."""
        return [file for file in self if file is not None]


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
        return [_stamp(file.path) for file in self._paths.files()]

    def _build(self) -> ssl.SSLContext:
        paths = self._paths
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = _VERSIONS[self._minimum]
        # The Edge API announces h2 by accident and cannot speak it.
        context.set_alpn_protocols(["http/1.1"])
        # It resumes no session either; a ticket would cost, and would outlive a revocation.
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
        context.sslobject_class = telling(self._handshakes)
        try:
            context.load_cert_chain(paths.certificate.path, paths.key.path)
        except (OSError, ValueError) as error:
            names = f"{_shown(paths.certificate)} and {_shown(paths.key)}"
            raise SettingsError(f"{names} are no certificate and its key in PEM: {_words(error)}") from error
        if paths.client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            _trust(context, paths.client_ca)
        if paths.client_crl:
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
            _trust(context, paths.client_crl)
        return context

    def _read_ends(self) -> Iterator[End]:
        paths = self._paths
        for file in (paths.certificate, paths.client_ca):
            if file:
                certificates = _parsed(file, x509.load_pem_x509_certificates)
                yield End(file, min(certificate.not_valid_after_utc for certificate in certificates))
        if paths.client_crl:
            # Past its next update OpenSSL refuses everyone, since the list may lack someone.
            next_update = _parsed(paths.client_crl, x509.load_pem_x509_crl).next_update_utc
            if next_update:
                yield End(paths.client_crl, next_update)


def _trust(context: ssl.SSLContext, file: NamedFile) -> None:
    try:
        context.load_verify_locations(cafile=file.path)
    except OSError as error:
        raise SettingsError(f"{_shown(file)} cannot be used: {_words(error)}") from error


def _parsed(file: NamedFile, parse: Any) -> Any:
    try:
        return parse(file.path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"{_shown(file)} cannot be read as PEM: {_words(error)}") from error


def _stamp(path: Path) -> Any:
    """Changes when the file does, also when a link on the way to it is turned, as Kubernetes does with secrets."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _shown(file: NamedFile) -> str:
    return f"{file.setting}={str(file.path)!r}"


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
