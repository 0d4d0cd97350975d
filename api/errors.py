"""One table from errors to statuses; nothing else in `api` decides what an error is answered with.

Both planes read it: the device plane answers `{"message"}`, the management plane a Kubernetes Status, which carries
`message` and the reason as well.
"""

from http import HTTPStatus
from typing import NamedTuple

from litestar.exceptions import HTTPException

from fleet.errors import (
    BadInputError,
    ConflictError,
    ForbiddenError,
    InvalidResourceError,
    ManyInvalidError,
    MusterError,
    NotFoundError,
    OutcomeUnknownError,
    TooLargeError,
    UnavailableError,
)

RETRY_AFTER_S = 1
"""What a 503 asks for. The Edge API ignores it and tries again within 300 ms; kubectl and people heed it."""


class MethodNotAllowedError(MusterError):
    """The path exists, but not with this method (405). `allowed` are those that do, if known."""

    def __init__(self, message: str, allowed: frozenset[str] = frozenset()) -> None:
        super().__init__(message)
        self.allowed = allowed


class UnsupportedMediaTypeError(MusterError):
    """The body's content type is not one this path reads (415)."""


class SlowBodyError(MusterError):
    """The body did not arrive in time (408)."""


class Refusal(NamedTuple):
    """How an error is answered. `reason` is Kubernetes' word for it."""

    status: int
    reason: str
    message: str


_BY_TYPE: tuple[tuple[type[MusterError], HTTPStatus, str], ...] = (
    # The most specific first.
    (InvalidResourceError, HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid"),
    (ManyInvalidError, HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid"),
    (TooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge"),
    (BadInputError, HTTPStatus.BAD_REQUEST, "BadRequest"),
    (ForbiddenError, HTTPStatus.FORBIDDEN, "Forbidden"),
    (NotFoundError, HTTPStatus.NOT_FOUND, "NotFound"),
    (MethodNotAllowedError, HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    (SlowBodyError, HTTPStatus.REQUEST_TIMEOUT, "Timeout"),
    (ConflictError, HTTPStatus.CONFLICT, "Conflict"),
    (UnsupportedMediaTypeError, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType"),
    (UnavailableError, HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable"),
    (OutcomeUnknownError, HTTPStatus.GATEWAY_TIMEOUT, "Timeout"),
)
_BY_STATUS = {status: reason for _, status, reason in _BY_TYPE}


def refusal(error: Exception) -> Refusal:
    """What the caller is told. An error nobody foresaw is ours: 503, and nothing of it is shown."""
    if isinstance(error, MusterError):
        for type_, status, reason in _BY_TYPE:
            if isinstance(error, type_):
                return Refusal(status, reason, str(error))
    if isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        status = HTTPStatus(error.status_code)
        return Refusal(status, _BY_STATUS.get(status, status.phrase.replace(" ", "")), error.detail or status.phrase)
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "InternalError",
        "something failed inside Muster, which its log describes: try again later",
    )


def is_foreseen(error: Exception) -> bool:
    """Whether the error is one of the table's, and so the caller's or a known state of ours."""
    return refusal(error).reason != "InternalError"
