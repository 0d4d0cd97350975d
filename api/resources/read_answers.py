"""Answers reads of one resource and of lists, as resources or as tables, with what was seen of devices in them."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response
from litestar.response import Stream

from api.resources.reads import ResourceReads, read_page
from api.resources.requests import AnyRequest
from api.resources.responses import ResourceResponse
from api.resources.selection import read_selection
from api.resources.statuses import Completed
from api.resources.tables import IncludeObject, read_include, table, wants_table
from api.resources.watches.event_lines import EventLines
from api.resources.watches.stream import Watches
from api.resources.watches.wanted import is_watch, read_wanted
from fleet.decisions.commands import JSONObject, ResourceKey
from fleet.resources import Kind


async def answer_one(kind: Kind, key: ResourceKey, reads: ResourceReads, request: AnyRequest) -> Response[Any]:
    """One resource. Raises NotFoundError."""
    body = reads.get(key)
    completed = await reads.completed([body])
    revision = {"resourceVersion": body["metadata"]["resourceVersion"]}
    return _answer(kind, request, completed, completed.bodies[0], revision)


async def answer_list(
    kind: Kind, namespace: str | None, reads: ResourceReads, watches: Watches, request: AnyRequest
) -> Response[Any]:
    """A page of a list, of all namespaces if there is none, or its changes as a stream. Raises BadInputError."""
    query = request.query_params
    if is_watch(query):
        return _answer_watch(kind, namespace, watches, request)
    page = read_page(query.get("limit"), query.get("continue"))
    selection = read_selection(query.get("labelSelector"), query.get("fieldSelector"))
    listed = await reads.list(kind, namespace, page, selection)
    completed = await reads.completed(listed["items"])
    whole = listed | {"items": completed.bodies}
    return _answer(kind, request, completed, whole, listed["metadata"])


def answer_bodies(kind: Kind, bodies: list[JSONObject], warnings: list[str], request: AnyRequest) -> Response[Any]:
    """A list that is whole, of resources that are made when asked for and have no revision."""
    metadata: JSONObject = {"resourceVersion": ""}
    whole = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": bodies}
    return _answer(kind, request, Completed(bodies, warnings), whole, metadata)


def _answer(
    kind: Kind, request: AnyRequest, completed: Completed, whole: JSONObject, metadata: JSONObject
) -> Response[Any]:
    include = _table_include(request)
    if include is not None:
        whole = table(kind.kind, completed.bodies, metadata, _now(), include)
    return ResourceResponse(whole, warnings=completed.warnings)


def _answer_watch(kind: Kind, namespace: str | None, watches: Watches, request: AnyRequest) -> Response[Any]:
    wanted = read_wanted(request.query_params)
    watches.check_room()
    lines = EventLines(kind, _table_include(request), _now)
    return Stream(watches.follow(kind, namespace, wanted, lines), media_type="application/json")


def _table_include(request: AnyRequest) -> IncludeObject | None:
    """How much of each resource a table carries; None when no table is asked for."""
    if not wants_table(request.headers.get("accept", "")):
        return None
    return read_include(request.query_params.get("includeObject"))


def _now() -> datetime:
    return datetime.now(UTC)
