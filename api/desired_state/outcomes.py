"""Turns a refused outcome of the command log into the error that its caller is told."""

import re
from typing import Final

from fleet.decisions.commands import Outcome
from fleet.errors import ConflictError, ForbiddenError, InvalidResourceError, MusterError, NotFoundError

_ERRORS: Final[dict[str, type[MusterError]]] = {
    "invalid": InvalidResourceError,
    "forbidden": ForbiddenError,
    "not-found": NotFoundError,
    "conflict": ConflictError,
}

_FIELD: Final = re.compile(r"(?P<field>spec\.[A-Za-z.]+): ")
"""How a message about a field begins."""


def require_accepted(outcome: Outcome) -> None:
    """Raise what an outcome was refused for; return when it was accepted or changed nothing."""
    error = _ERRORS.get(outcome.result)
    if error is None:
        return
    found = _FIELD.match(outcome.message)
    if found and error is InvalidResourceError:
        raise InvalidResourceError(outcome.message, found["field"])
    raise error(outcome.message)
