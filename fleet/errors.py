"""What can be wrong, by who must act: one hierarchy, to which `api` has one table of statuses.

Every message says what to change, since it is shown to the person or logged for the device that caused it.
"""


class MusterError(Exception):
    """Anything this project raises on purpose. `str(error)` is fit to be shown to the caller."""


class BadInputError(MusterError):
    """The caller sent something that can never be accepted as it is (400)."""


class InvalidResourceError(BadInputError):
    """A resource breaks a rule of its kind (422). `field` is its path, such as `spec.heartbeat.periodSeconds`."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class ManyInvalidError(BadInputError):
    """Several things are wrong at once (422): `causes` are (field, message)."""

    def __init__(self, message: str, causes: list[tuple[str, str]]) -> None:
        super().__init__(message)
        self.causes = causes


class TooLargeError(BadInputError):
    """The body is larger than the limit (413)."""


class ForbiddenError(MusterError):
    """An operator must act first: approve, restore, grant leave (403)."""


class NotFoundError(MusterError):
    """There is no such device, resource, kind or path (404)."""


class ConflictError(MusterError):
    """The resource exists already, or changed since the caller read it (409)."""


class UnavailableError(MusterError):
    """Muster cannot take this now; the same call may be accepted later (503)."""


class OutcomeUnknownError(MusterError):
    """The deadline passed after the change was sent: it may or may not be applied (504)."""

    def __init__(self, message: str, request_id: str) -> None:
        super().__init__(message)
        self.request_id = request_id
