"""Asks callers of the management plane for the one admin token, read from a file and read again when that changes.

Liveness and readiness answer without it, since a kubelet's probes carry no secret; they tell nothing of the fleet.
"""

import hmac
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from api.asgi import Application, Receive, Scope, Send
from api.listeners.file_stamp import file_stamp
from settings import SettingsError
from settings.named_files import NamedFile, read_named

_OPEN: Final = frozenset({"/health/live", "/health/ready"})

_SHORTEST: Final = 16
"""Characters below which a token could be guessed."""

_HOW_TO_MAKE: Final = "make one as with openssl rand -hex 32"

_SHOWN: Final = "muster.admin-token"
"""Under `extensions` of the ASGI scope when the caller has shown the token."""

_log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode

_REFUSAL: Final = _encode({
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": "send the admin token (MUSTER_HTTP_TOKEN_FILE) as 'Authorization: Bearer …'",
    "reason": "Unauthorized",
    "code": HTTPStatus.UNAUTHORIZED,
})  # fmt: skip


def has_shown_token(scope: Any) -> bool:
    """Whether the request came in by the token."""
    return _SHOWN in (scope.get("extensions") or {})


class AdminToken:
    """An ASGI application in front of another. Raises SettingsError when the file holds no usable token."""

    def __init__(self, behind: Application, file: Path) -> None:
        self._behind = behind
        self._file = file
        self._stamp: Any = None
        self._token = b""
        self._read()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or refuse it."""
        if scope["type"] != "http" or scope["path"] in _OPEN:
            await self._behind(scope, receive, send)
            return
        if self._is_known(scope):
            scope.setdefault("extensions", {})[_SHOWN] = {}
            await self._behind(scope, receive, send)
            return
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(_REFUSAL)).encode()),
            (b"www-authenticate", b"Bearer"),
        ]
        await send({"type": "http.response.start", "status": HTTPStatus.UNAUTHORIZED, "headers": headers})
        await send({"type": "http.response.body", "body": _REFUSAL})

    def _is_known(self, scope: Scope) -> bool:
        self._read_again()
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1:
            return False
        scheme, _, token = given[0].partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)

    def _read_again(self) -> None:
        try:
            if self._stamp != file_stamp(self._file):
                self._read()
        except SettingsError as error:
            # A file half written: the former token holds until it is whole.
            _log.warning("admin token not read again", reason=str(error))

    def _read(self) -> None:
        # The stamp first: a file that changes meanwhile is read once more.
        stamp, token = file_stamp(self._file), read_admin_token(self._file)
        self._stamp, self._token = stamp, token


def read_admin_token(file: Path) -> bytes:
    """What `MUSTER_HTTP_TOKEN_FILE` holds. Raises SettingsError."""
    named = NamedFile("MUSTER_HTTP_TOKEN_FILE", file)
    token = read_named(named).strip()
    if len(token) < _SHORTEST:
        raise SettingsError(f"the token in {named} has fewer than {_SHORTEST} characters: {_HOW_TO_MAKE}")
    if not all(33 <= byte <= 126 for byte in token):  # noqa: PLR2004 - ASCII's visible characters
        raise SettingsError(f"{named} must hold one token of visible ASCII characters: {_HOW_TO_MAKE}")
    return token
