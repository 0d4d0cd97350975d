"""What the commands about history ask the server, and what they show of a resource: what people wrote in it."""

from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote

from cli.errors import CommandError
from cli.http_client import RefusedError, Server
from fleet.decisions.commands import JSONObject
from fleet.resources import Kind
from fleet.resources.change_plan import LAST_APPLIED

_SERVER_METADATA = frozenset({"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"})


_NAMED = 10
"""Revisions named to somebody who asks for one that is not there."""


class Which(NamedTuple):
    """The resource whose history is meant."""

    kind: Kind
    namespace: str
    name: str

    @property
    def label(self) -> str:
        """As commands name a resource."""
        return f"{self.kind.singular}/{self.name}"

    @property
    def path(self) -> str:
        """Of its history."""
        return f"/muster/v1/history/{self.kind.plural}/{quote(self.name, safe='')}"


def list_revisions(server: Server, which: Which, limit: int) -> list[JSONObject]:
    """The newest revisions, newest first. Raises RefusedError or CommandError."""
    answer = server.get(which.path, {"namespace": which.namespace, "limit": str(limit)})
    revisions: list[JSONObject] = answer["items"]
    return revisions


def read_revision(server: Server, which: Which, revision: str) -> JSONObject:
    """What the resource was since that revision of its own; its `body` is None when that removed it.

    Raises RefusedError or CommandError, which names revisions that there are.
    """
    try:
        found = server.get(f"{which.path}/{quote(revision, safe='')}", {"namespace": which.namespace})
    except RefusedError as error:
        if error.status_code != HTTPStatus.NOT_FOUND:
            raise
    else:
        if found["revision"] == revision:
            return found
    known = [each["revision"] for each in list_revisions(server, which, _NAMED + 1)]
    rest = "" if len(known) <= _NAMED else " and older ones"
    raise CommandError(f"{which.label} has no revision {revision}: it has {', '.join(known[:_NAMED])}{rest}")


def written(body: JSONObject | None) -> JSONObject:
    """A resource without what the server says of it; empty when it was gone."""
    if body is None:
        return {}
    metadata = {key: value for key, value in body["metadata"].items() if key not in _SERVER_METADATA}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != LAST_APPLIED}
    metadata.pop("annotations", None)
    metadata |= {"annotations": annotations} if annotations else {}
    return {key: value for key, value in body.items() if key != "status"} | {"metadata": metadata}
