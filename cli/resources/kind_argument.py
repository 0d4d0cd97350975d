"""A kind as it is typed on the command line."""

from cli.errors import CommandError
from fleet.errors import BadInputError
from fleet.resources import Kind, kind_by_any_name

_USAGE_STATUS = 2


def kind_argument(text: str) -> Kind:
    """The kind that is meant. Raises CommandError (usage) that says what is known."""
    try:
        return kind_by_any_name(text)
    except BadInputError as error:
        raise CommandError(str(error), _USAGE_STATUS) from None
