"""The paths of events, which can be listed and nothing else."""

from typing import Any

from litestar import Response, get
from litestar.handlers import BaseRouteHandler

from api.resources.events import Events
from api.resources.paths import all_path, collection_path
from api.resources.read_answers import answer_bodies
from api.resources.requests import AnyRequest
from api.resources.watches.wanted import is_watch
from fleet.errors import BadInputError
from fleet.names import check_namespace
from fleet.resources.event import EVENT


def event_routes(events: Events) -> list[BaseRouteHandler]:
    """Their handlers."""

    @get(all_path(EVENT), operation_id="listAllEvent", tags=[EVENT.kind])
    async def list_all(request: AnyRequest) -> Response[Any]:
        """Events of all devices."""
        return await _list(events, None, request)

    @get(collection_path(EVENT), operation_id="listEvent", tags=[EVENT.kind])
    async def list_(request: AnyRequest) -> Response[Any]:
        """Events of a namespace's devices."""
        namespace: str = request.path_params["namespace"]
        check_namespace(namespace)
        return await _list(events, namespace, request)

    return [list_all, list_]


async def _list(events: Events, namespace: str | None, request: AnyRequest) -> Response[Any]:
    if is_watch(request.query_params):
        raise BadInputError("events cannot be watched: list them again")
    listed = await events.list(namespace, request.query_params.get("fieldSelector", ""))
    return answer_bodies(EVENT, listed.bodies, listed.warnings, request)
