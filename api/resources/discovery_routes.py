"""The paths of discovery: `/version`, `/api`, `/apis` and below, `/openapi/v3`. Each may end in a slash."""

from typing import Any

from litestar import Response, get
from litestar.handlers import BaseRouteHandler

from api.resources.discovery import (
    AGGREGATED_TYPE,
    GROUPS,
    VERSION,
    aggregated,
    core_versions,
    group,
    group_list,
    resource_list,
    wants_aggregated,
)
from api.resources.openapi import OLD_DOCUMENT, OLD_TYPE, documents, index
from api.resources.paths import group_path
from api.resources.requests import AnyRequest
from api.resources.responses import ResourceResponse
from fleet.decisions.commands import JSONObject

_TAGS = ["discovery"]


def discovery_routes() -> list[BaseRouteHandler]:
    """Their handlers."""

    @get("/version", tags=_TAGS, sync_to_thread=False)
    def version() -> Response[Any]:
        """The version of Kubernetes whose ways the resource paths follow."""
        return ResourceResponse(VERSION)

    @get("/api", tags=_TAGS, sync_to_thread=False)
    def core(request: AnyRequest) -> Response[Any]:
        """Versions of the core group."""
        if wants_aggregated(request.headers.get("accept", "")):
            return ResourceResponse(aggregated(is_core=True), media_type=AGGREGATED_TYPE)
        return ResourceResponse(core_versions())

    @get("/apis", tags=_TAGS, sync_to_thread=False)
    def groups(request: AnyRequest) -> Response[Any]:
        """The other groups."""
        if wants_aggregated(request.headers.get("accept", "")):
            return ResourceResponse(aggregated(is_core=False), media_type=AGGREGATED_TYPE)
        return ResourceResponse(group_list())

    @get("/openapi/v2", tags=_TAGS, sync_to_thread=False)
    def old_document() -> Response[Any]:
        """What clients before 1.29 ask for; the schemas are in `/openapi/v3`."""
        return Response(OLD_DOCUMENT, media_type=OLD_TYPE)

    handlers: list[BaseRouteHandler] = [version, core, groups, old_document]
    for name, versions in GROUPS.items():
        if name:
            handlers.append(_document(f"/apis/{name}", group(name)))
        handlers += [_document(group_path(name, each), resource_list(name, each)) for each in versions]
    schemas = documents()
    handlers.append(_document("/openapi/v3", index(schemas)))
    return handlers + [_document(f"/openapi/v3/{path}", content) for path, content in schemas.items()]


def _document(path: str, content: JSONObject) -> BaseRouteHandler:
    @get(path, operation_id=f"discover{path}", tags=_TAGS, sync_to_thread=False)
    def document() -> Response[Any]:
        return ResourceResponse(content)

    return document
