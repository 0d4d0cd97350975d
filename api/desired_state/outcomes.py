"""Turns what came of a command into the error that its caller is told, unless it was accepted."""

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


def outcome_of(told: Outcome | MusterError) -> Outcome:
    """The outcome, or raise what is told instead of one."""
    if isinstance(told, MusterError):
        raise told
    return told


def require_accepted(outcome: Outcome) -> None:
    """Raise what an outcome was refused for; return when it was accepted or changed nothing."""
    error = _ERRORS.get(outcome.result)
    if error is None:
        return
    found = _FIELD.match(outcome.message)
    if found and error is InvalidResourceError:
        raise InvalidResourceError(outcome.message, found["field"])
    raise error(outcome.message)
