"""Refuses requests in another's name: to ignore the headers would run them as the caller."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from fleet.errors import ForbiddenError

_PREFIX = "impersonate-"


def refuse_impersonation(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard of every path. Raises ForbiddenError."""
    if any(name.startswith(_PREFIX) for name in connection.headers):
        raise ForbiddenError("nobody can act in another's name here: leave out --as and --as-group")
