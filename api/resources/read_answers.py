"""Answers reads of one resource and of lists, as resources or as tables, with what was seen of devices in them."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response

from api.resources.reads import ResourceReads, read_page
from api.resources.requests import AnyRequest
from api.resources.responses import ResourceResponse
from api.resources.selection import read_selection
from api.resources.statuses import Completed
from api.resources.tables import read_include, table, wants_table
from fleet.decisions.commands import JSONObject, ResourceKey
from fleet.resources import Kind


async def answer_one(kind: Kind, key: ResourceKey, reads: ResourceReads, request: AnyRequest) -> Response[Any]:
    """One resource. Raises NotFoundError."""
    body = reads.get(key)
    completed = await reads.completed([body])
    revision = {"resourceVersion": body["metadata"]["resourceVersion"]}
    return _answer(kind, request, completed, completed.bodies[0], revision)


async def answer_list(kind: Kind, namespace: str | None, reads: ResourceReads, request: AnyRequest) -> Response[Any]:
    """A page of a list, of all namespaces if there is none. Raises BadInputError."""
    query = request.query_params
    page = read_page(query.get("limit"), query.get("continue"))
    selection = read_selection(query.get("labelSelector"), query.get("fieldSelector"))
    listed = await reads.list(kind, namespace, page, selection)
    completed = await reads.completed(listed["items"])
    whole = listed | {"items": completed.bodies}
    return _answer(kind, request, completed, whole, listed["metadata"])


def _answer(
    kind: Kind, request: AnyRequest, completed: Completed, whole: JSONObject, metadata: JSONObject
) -> Response[Any]:
    if wants_table(request.headers.get("accept", "")):
        include = read_include(request.query_params.get("includeObject"))
        whole = table(kind.kind, completed.bodies, metadata, datetime.now(UTC), include)
    return ResourceResponse(whole, warnings=completed.warnings)
