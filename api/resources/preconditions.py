"""What a client expects of the resource it changes: the uid and resourceVersion it read."""

from typing import Any, Final, NamedTuple

from fleet.decisions.commands import JSONObject
from fleet.errors import BadInputError


class Preconditions(NamedTuple):
    """What must hold for a change to be made."""

    uid: str | None
    revision: int | None


NONE_EXPECTED: Final = Preconditions(None, None)


def preconditions(document: JSONObject) -> Preconditions:
    """`metadata.uid` and `metadata.resourceVersion`, as Kubernetes means them. Raises BadInputError."""
    metadata: Any = document.get("metadata")
    if not isinstance(metadata, dict):
        return Preconditions(None, None)
    return read_preconditions(metadata.get("uid"), metadata.get("resourceVersion"))


def read_preconditions(uid: Any, resource_version: Any) -> Preconditions:
    """Check what a client gave; empty means none. Raises BadInputError."""
    if uid is not None and not isinstance(uid, str):
        raise BadInputError("uid is not text")
    if resource_version in (None, ""):
        return Preconditions(uid or None, None)
    if not (isinstance(resource_version, str) and resource_version.isascii() and resource_version.isdigit()):
        raise BadInputError("resourceVersion is not one that Muster gave: leave it out to write in any case")
    return Preconditions(uid or None, int(resource_version[:20]))
