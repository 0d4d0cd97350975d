"""The paths of every kind, as Kubernetes spells them, each a few lines around `reads` and `writes`.

The handlers of a kind are made from its description, so that the OpenAPI document names each path, and a kind added
there is served here.
"""

from typing import Any, Final, Literal

import msgspec
from litestar import Response, Router, delete, get, patch, post, put
from litestar.handlers import BaseRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from api.resources.access_review_routes import access_review_routes
from api.resources.collection_deletion import delete_collection
from api.resources.discovery_routes import discovery_routes
from api.resources.event_routes import event_routes
from api.resources.events import Events
from api.resources.impersonation import refuse_impersonation
from api.resources.patches.reading import read_patch
from api.resources.paths import STATUS_KINDS, WRITABLE_STATUS_KINDS, all_path, collection_path, single_path
from api.resources.read_answers import answer_list, answer_one
from api.resources.reads import ResourceReads
from api.resources.requests import AnyRequest, note_name, read_asked, read_delete_options, read_document
from api.resources.responses import ResourceResponse
from api.resources.selection import read_selection
from api.resources.status_object import deleted
from api.resources.watches.stream import Watches
from api.resources.writes import ResourceWrites, Written
from fleet.decisions.commands import ResourceKey
from fleet.names import check_namespace
from fleet.resources import KINDS, Kind


class Status(msgspec.Struct):
    """How an error is told: Kubernetes' Status."""

    kind: str
    message: str
    reason: str
    code: int


_ERRORS: Final = {
    400: ResponseSpec(Status, description="the request cannot be read", generate_examples=False),
    404: ResponseSpec(Status, description="no such resource", generate_examples=False),
    409: ResponseSpec(Status, description="it exists, or has changed since it was read", generate_examples=False),
    422: ResponseSpec(Status, description="the resource breaks a rule of its kind", generate_examples=False),
    503: ResponseSpec(Status, description="not now: try again", generate_examples=False),
    504: ResponseSpec(Status, description="outcome unknown: repeat with Muster-Request-Id", generate_examples=False),
}


def resource_routes(reads: ResourceReads, watches: Watches, writes: ResourceWrites, events: Events) -> list[Router]:
    """The handlers of all kinds and of discovery, in a router of their own."""
    handlers = [handler for kind in KINDS.values() for handler in _routes_of(kind, reads, watches, writes)]
    others = [*discovery_routes(), *access_review_routes(), *event_routes(events)]
    return [Router("/", route_handlers=[*others, *handlers], guards=[refuse_impersonation])]


def _routes_of(kind: Kind, reads: ResourceReads, watches: Watches, writes: ResourceWrites) -> list[BaseRouteHandler]:
    routes = [
        *_collection_routes(kind, reads, watches, writes),
        *_single_routes(kind, single_path(kind), reads, writes),
    ]
    if kind.is_namespaced:
        routes.append(_list_all_route(kind, reads, watches))
    if kind.kind in STATUS_KINDS:
        routes += _status_routes(kind, f"{single_path(kind)}/status", reads, writes)
    return routes


def _list_all_route(kind: Kind, reads: ResourceReads, watches: Watches) -> BaseRouteHandler:
    @get(all_path(kind), operation_id=f"listAll{kind.kind}", tags=[kind.kind], responses=_ERRORS)
    async def list_all(request: AnyRequest) -> Response[Any]:
        return await answer_list(kind, None, reads, watches, request)

    return list_all


def _collection_routes(
    kind: Kind, reads: ResourceReads, watches: Watches, writes: ResourceWrites
) -> list[BaseRouteHandler]:
    path = collection_path(kind)

    @get(path, operation_id=f"list{kind.kind}", tags=[kind.kind], responses=_ERRORS)
    async def list_(request: AnyRequest) -> Response[Any]:
        return await answer_list(kind, _namespace(kind, request), reads, watches, request)

    @post(path, operation_id=f"create{kind.kind}", tags=[kind.kind], responses=_ERRORS)
    async def create(request: AnyRequest) -> Response[Any]:
        document = await read_document(request, kind)
        note_name(request, document)
        written = await writes.create(kind, _namespace(kind, request) or "", document, read_asked(request))
        return _written(written, status=201)

    @delete(path, operation_id=f"deleteAll{kind.kind}", tags=[kind.kind], responses=_ERRORS, status_code=200)
    async def delete_all(request: AnyRequest) -> Response[Any]:
        _, is_dry_run = await read_delete_options(request)
        asked = read_asked(request)
        query = request.query_params
        selection = read_selection(query.get("labelSelector"), query.get("fieldSelector"))
        asked = asked._replace(is_dry_run=is_dry_run or asked.is_dry_run)
        await delete_collection(kind, _namespace(kind, request) or "", selection, reads, writes, asked=asked)
        return _json(deleted(kind, "", ""))

    return [list_, create, *([delete_all] if kind.is_namespaced else [])]


def _single_routes(kind: Kind, path: str, reads: ResourceReads, writes: ResourceWrites) -> list[BaseRouteHandler]:
    @get(path, operation_id=f"read{kind.kind}", tags=[kind.kind], responses=_ERRORS)
    async def read(request: AnyRequest) -> Response[Any]:
        return await answer_one(kind, _key(kind, request), reads, request)

    @delete(path, operation_id=f"delete{kind.kind}", tags=[kind.kind], responses=_ERRORS, status_code=200)
    async def delete_(request: AnyRequest) -> Response[Any]:
        key = _key(kind, request)
        expected, is_dry_run = await read_delete_options(request)
        asked = read_asked(request)
        held = reads.state.get(key)
        left = await writes.delete(key, expected, asked._replace(is_dry_run=is_dry_run or asked.is_dry_run))
        if left is not None:
            return _written(left)
        return _json(deleted(kind, key.name, held.body["metadata"].get("uid", "") if held else ""))

    return [read, *_write_routes(kind, path, writes, ""), delete_]


def _status_routes(kind: Kind, path: str, reads: ResourceReads, writes: ResourceWrites) -> list[BaseRouteHandler]:
    @get(path, operation_id=f"read{kind.kind}Status", tags=[kind.kind], responses=_ERRORS)
    async def read(request: AnyRequest) -> Response[Any]:
        return await answer_one(kind, _key(kind, request), reads, request)

    return [read, *(_write_routes(kind, path, writes, "status") if kind.kind in WRITABLE_STATUS_KINDS else ())]


def _write_routes(
    kind: Kind, path: str, writes: ResourceWrites, subresource: Literal["", "status"]
) -> list[BaseRouteHandler]:
    suffix = f"{kind.kind}{subresource.title()}"

    @put(path, operation_id=f"replace{suffix}", tags=[kind.kind], responses=_ERRORS)
    async def replace(request: AnyRequest) -> Response[Any]:
        document = await read_document(request, kind)
        return _written(await writes.replace(kind, _key(kind, request), document, subresource, read_asked(request)))

    @patch(path, operation_id=f"patch{suffix}", tags=[kind.kind], responses=_ERRORS)
    async def patch_(request: AnyRequest) -> Response[Any]:
        given = read_patch(kind, request.headers.get("content-type", ""), await request.body())
        return _written(await writes.patch(kind, _key(kind, request), given, subresource, read_asked(request)))

    return [replace, patch_]


def _namespace(kind: Kind, request: AnyRequest) -> str | None:
    if not kind.is_namespaced:
        return ""
    namespace: str = request.path_params["namespace"]
    check_namespace(namespace)
    return namespace


def _key(kind: Kind, request: AnyRequest) -> ResourceKey:
    return ResourceKey(kind.kind, _namespace(kind, request) or "", request.path_params["name"])


def _written(written: Written, status: int = 200) -> Response[Any]:
    return ResourceResponse(written.body, status, written.warnings)


def _json(content: Any) -> Response[Any]:
    return ResourceResponse(content)
