"""The history of a resource over HTTP: its revisions, and what it was at one. Of Secrets only that they changed."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import structlog
from litestar import Response, Router, get

from api.operators.lifecycle_routes import PREFIX
from api.resources.impersonation import refuse_impersonation
from api.resources.requests import AnyRequest
from api.resources.responses import ResourceResponse
from fleet.decisions.commands import ResourceKey
from fleet.decisions.resource_bodies import timestamp
from fleet.errors import BadInputError, ForbiddenError, NotFoundError, UnavailableError
from fleet.resources import kind_by_any_name
from storage.revisions import Revision

REVISIONS_AT_ONCE: Final = 1000
"""Revisions of one answer at most; older ones are asked for with `last`."""

_THREADS: Final = 2
"""Histories read at a time: each goes over all names that were ever changed."""

_NEWEST: Final = 2**63 - 1

_SECRET: Final = "Secret"  # noqa: S105 - the kind's name

_log = structlog.get_logger(__name__)

Read = Callable[[ResourceKey, int, int], list[Revision]]
"""Reads revisions of a resource up to one, newest first; blocks."""


def history_routes(read: Read, deadline_s: float) -> Router:
    """`GET /muster/v1/history/KIND/NAME` and `GET /muster/v1/history/KIND/NAME/REVISION`."""
    threads = ThreadPoolExecutor(_THREADS, "history")

    async def revisions(key: ResourceKey, last: int, limit: int) -> list[Revision]:
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.get_running_loop().run_in_executor(threads, read, key, last, limit)
        except Exception as error:  # noqa: BLE001 - whatever keeps the history away, it is not the caller's
            _log.warning("history not read", resource=str(key), error=repr(error)[:500])
            raise UnavailableError("ClickHouse, which keeps the history, does not answer: try again") from None

    path = f"{PREFIX}/history/{{kind:str}}/{{name:str}}"

    @get(path, operation_id="listRevisions", tags=["history"])
    async def list_(request: AnyRequest) -> Response[Any]:
        """A resource's revisions, newest first, without their content."""
        query = request.query_params
        last = _number(query.get("last"), _NEWEST, _NEWEST)
        limit = _number(query.get("limit"), REVISIONS_AT_ONCE, REVISIONS_AT_ONCE)
        key = _key(request)
        found = await revisions(key, last, limit)
        if not found:
            raise NotFoundError(f"{key} has no history")
        return ResourceResponse({"items": [_told(each) for each in found]})

    @get(f"{path}/{{revision:str}}", operation_id="readRevision", tags=["history"])
    async def read_one(request: AnyRequest) -> Response[Any]:
        """What a resource was at a revision, of its own or of any other resource."""
        key = _key(request)
        if key.kind == _SECRET:
            raise ForbiddenError("what a Secret was is shown to nobody: apply its file again")
        revision = _number(request.path_params["revision"], _NEWEST, _NEWEST)
        found = await revisions(key, revision, 1)
        if not found:
            raise NotFoundError(f"{key} did not exist at revision {revision}")
        return ResourceResponse(_told(found[0]) | {"body": found[0].body})

    return Router("/", route_handlers=[list_, read_one], guards=[refuse_impersonation])


def _key(request: AnyRequest) -> ResourceKey:
    kind = kind_by_any_name(request.path_params["kind"])
    namespace = request.query_params.get("namespace", "") if kind.is_namespaced else ""
    if kind.is_namespaced and not namespace:
        raise BadInputError(f"say in which namespace the {kind.kind} is: ?namespace=NAME")
    return ResourceKey(kind.kind, namespace, request.path_params["name"])


def _number(text: str | None, default: int, largest: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise BadInputError("a revision or limit is a number")
    return min(int(text[:20]), largest)


def _told(revision: Revision) -> dict[str, Any]:
    return {
        "revision": str(revision.revision),
        "time": timestamp(revision.received_at_ms),
        "author": revision.author,
        "message": revision.message,
        "requestId": revision.request_id,
        "isDeleted": revision.body is None,
    }
