"""What Litestar answers when a handler raised, or no handler was found: by the one table of `api.errors`."""

from typing import Any

import structlog
from litestar import Request
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from api.errors import MethodNotAllowedError, is_foreseen, refusal
from api.resources.paths import kind_and_name
from api.resources.responses import ResourceResponse
from api.resources.status_object import failure, failure_headers
from fleet.errors import NotFoundError, TooLargeError
from fleet.names import shown

_log = structlog.get_logger(__name__)


def answer_failure(request: Request[Any, Any, Any], error: Exception) -> ResourceResponse:
    """A Status for every error; it has a `message` as all our errors do."""
    error = _said_better(request, error)
    if not is_foreseen(error):
        _log.error("request failed", method=request.method, path=shown(request.scope["path"]), exc_info=error)
    told = refusal(error)
    kind, name = kind_and_name(request.scope["path"])
    status = failure(error, kind, name or request.state.get("resource_name", ""))
    if told.reason == "Conflict" and request.method == "POST":
        status["reason"] = "AlreadyExists"
    return ResourceResponse(status, told.status, headers=failure_headers(error, told))


def _said_better(request: Request[Any, Any, Any], error: Exception) -> Exception:
    path = shown(request.scope["path"])
    if isinstance(error, NotFoundException):
        return NotFoundError(f"there is no path {path}: /docs lists those there are")
    if isinstance(error, MethodNotAllowedException):
        return MethodNotAllowedError(f"{path} does not take {shown(request.method)}: /docs lists what it takes")
    if isinstance(error, RequestEntityTooLarge):
        limit = request.app.request_max_body_size
        return TooLargeError(f"the body is larger than {limit} bytes (MUSTER_HTTP_RESOURCE_LIMIT_BYTES)")
    return error
