"""The lines of a watch: one JSON object each, with resources as they are or as rows of a table."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from api.resources.tables import IncludeObject, table
from fleet.decisions.commands import JSONObject
from fleet.resources import Kind

_encode = msgspec.json.Encoder().encode

EXPIRED: Final[JSONObject] = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": "the changes since this resourceVersion are not held any more: list again and watch from there",
    "reason": "Expired",
    "code": 410,
}


class EventLines:
    """Lines for one follower. `include` makes tables, whose columns stand in the first line alone."""

    def __init__(self, kind: Kind, include: IncludeObject | None, clock: Callable[[], datetime]) -> None:
        self._kind = kind
        self._include: IncludeObject | None = include
        self._clock = clock
        self._has_columns = False

    def event(self, type_: str, body: JSONObject) -> bytes:
        """ADDED, MODIFIED or DELETED, with the resource."""
        if self._include is None:
            return _line(type_, body)
        revision = {"resourceVersion": body["metadata"]["resourceVersion"]}
        shown = table(self._kind.kind, [body], revision, self._clock(), self._include)
        if self._has_columns:
            del shown["columnDefinitions"]
        self._has_columns = True
        return _line(type_, shown)

    def bookmark(self, revision: int) -> bytes:
        """Everything up to a revision has been told."""
        metadata = {"resourceVersion": str(revision)}
        return _line("BOOKMARK", {"kind": self._kind.kind, "apiVersion": self._kind.api_version, "metadata": metadata})


def expired() -> bytes:
    """The follower must begin anew."""
    return _line("ERROR", EXPIRED)


def _line(type_: str, content: Any) -> bytes:
    return _encode({"type": type_, "object": content}) + b"\n"
