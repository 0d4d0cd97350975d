"""Who asks: a name and a password, compared in constant time with key files that may change while this runs."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from local.clickhouse.errors import ClickHouseError
from local.clickhouse.users import ANALYST, Role


class Credentials(NamedTuple):
    """What a request says about itself."""

    user: str
    password: str


class Passwords:
    """The passwords of both users, each in a file. A file is read again when it changed."""

    def __init__(self, owner: str, owner_file: Path, analyst_file: Path) -> None:
        self._users = {ANALYST: (Role.ANALYST, _PasswordFile(analyst_file))}
        self._users[owner] = (Role.OWNER, _PasswordFile(owner_file))

    def role_of(self, headers: Mapping[str, str], parameters: Mapping[str, str]) -> Role:
        """Raises ClickHouseError 194 when nobody is named, 516 when name or password are wrong."""
        credentials = find_credentials(headers, parameters)
        if credentials is None:
            raise ClickHouseError(
                194, "REQUIRED_PASSWORD", "Authentication failed: name a user and its password, as with HTTP basic"
            )
        role, file = self._users.get(credentials.user, (None, None))
        expected = file.password() if file else None
        # An unknown user costs the same comparison.
        is_right = hmac.compare_digest(credentials.password.encode(), (expected or "\0").encode())
        if role is None or not expected or not is_right:
            raise ClickHouseError(
                516,
                "AUTHENTICATION_FAILED",
                f"{credentials.user}: Authentication failed: password is incorrect, or there is no user with such name",
            )
        return role


def find_credentials(headers: Mapping[str, str], parameters: Mapping[str, str]) -> Credentials | None:
    """From the headers of ClickHouse, HTTP basic or the URL, in a server's order. Raises ClickHouseError."""
    if "x-clickhouse-user" in headers or "x-clickhouse-key" in headers:
        return Credentials(headers.get("x-clickhouse-user", ""), headers.get("x-clickhouse-key", ""))
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise ClickHouseError(516, "AUTHENTICATION_FAILED", "Authentication failed: not HTTP basic") from None
        return Credentials(user, password)
    if "user" in parameters or "password" in parameters:
        return Credentials(parameters.get("user", ""), parameters.get("password", ""))
    return None


class _PasswordFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._password: str | None = None

    def password(self) -> str | None:
        """None while there is no such file, which lets nobody in."""
        try:
            status = self._path.stat()
            if (seen := (status.st_mtime_ns, status.st_ino)) != self._seen:
                self._password = self._path.read_text().strip()
                self._seen = seen
        except (OSError, UnicodeDecodeError):
            self._seen, self._password = None, None
        return self._password
