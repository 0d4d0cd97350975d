"""Tells why TLS connections come to nothing: the server drops them without a word, before any application sees them.

The reasons are few and fixed, since they are labels of a metric; what the library said stands beside them in the log.
"""

import ssl
from collections.abc import Callable
from typing import Any, Final

import structlog

QUIET_S: Final = 60.0
"""A reason is logged once in this time; the metric counts every one."""

_log = structlog.get_logger(__name__)

_BY_VERIFY_CODE: Final = {
    # The numbers are OpenSSL's X509_V_ERR_*.
    3: "no list of revoked certificates by this CA",
    9: "not valid yet",
    10: "expired",
    11: "the list of revoked certificates is not valid yet",
    12: "the list of revoked certificates is out of date",
    18: "another CA",
    19: "another CA",
    20: "another CA",
    21: "another CA",
    23: "revoked",
}

_BY_REASON: Final = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no certificate",
    "UNSUPPORTED_PROTOCOL": "TLS version too old",
    "HTTP_REQUEST": "http, not https",
    "TLSV1_ALERT_UNKNOWN_CA": "the client does not trust our certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the client does not trust our certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the client does not trust our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the client does not trust our certificate",
}

OTHER: Final = "not understood"


def reason_of(error: ssl.SSLError) -> str:
    """One of the fixed reasons."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFY_CODE.get(error.verify_code, "certificate not accepted")
    return _BY_REASON.get(error.reason or "", OTHER)


class HandshakeLog:
    """Counts and logs refused connections of one listener. `clock` gives seconds of a steady clock."""

    def __init__(
        self, listener: str, count: Callable[[str], None], clock: Callable[[], float], logger: Any = _log
    ) -> None:
        self._listener = listener
        self._count = count
        self._clock = clock
        self._logger = logger
        self._said_s: dict[str, float] = {}

    def add(self, error: ssl.SSLError) -> None:
        """A handshake failed."""
        reason = reason_of(error)
        self._count(reason)
        now_s = self._clock()
        if now_s - self._said_s.get(reason, -QUIET_S) < QUIET_S:
            return
        self._said_s[reason] = now_s
        self._logger.warning("connection refused", listener=self._listener, reason=reason, detail=str(error))


def telling(log: HandshakeLog) -> type[ssl.SSLObject]:
    """What a context makes its connections of, so that failures reach the log."""

    class TellingConnection(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLZeroReturnError, ssl.SSLEOFError):
                raise
            except ssl.SSLError as error:
                log.add(error)
                raise

    return TellingConnection
