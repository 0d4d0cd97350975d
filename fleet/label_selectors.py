"""Label selectors as they are typed and as queries carry them: `app=web,tier!=db,env in (a,b),!legacy`.

Source: Kubernetes “Labels and Selectors”, both its equality-based and its set-based syntax.
"""

import re
from typing import Final

from fleet.errors import BadInputError, InvalidResourceError
from fleet.names import shown
from fleet.resources.structs import UNSET
from fleet.resources.workload import LabelSelector, Requirement
from fleet.selection import Selector

LENGTH_LIMIT: Final = 8192
"""Characters of a selector; a URL has hardly more."""

_KEY: Final = r"(?P<key>[A-Za-z0-9][-A-Za-z0-9_./]*)"
_VALUE: Final = r"(?P<values>[-A-Za-z0-9_.]*)"
_LIST: Final = r"\((?P<values>[^()]*)\)"

_FORMS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(rf"{_KEY}\s*==?\s*{_VALUE}"), "In"),
    (re.compile(rf"{_KEY}\s*!=\s*{_VALUE}"), "NotIn"),
    (re.compile(rf"{_KEY}\s+in\s*{_LIST}"), "In"),
    (re.compile(rf"{_KEY}\s+notin\s*{_LIST}"), "NotIn"),
    (re.compile(_KEY), "Exists"),
    (re.compile(rf"!\s*{_KEY}"), "DoesNotExist"),
)
_COMMA_OUTSIDE_PARENTHESES: Final = re.compile(r",(?![^(]*\))")


def read_selector(text: str) -> Selector:
    """The selector that a text stands for; an empty text selects everything. Raises BadInputError."""
    if len(text) > LENGTH_LIMIT:
        raise BadInputError(f"the selector has more than {LENGTH_LIMIT} characters")
    parts = [part.strip() for part in _COMMA_OUTSIDE_PARENTHESES.split(text)] if text.strip() else []
    try:
        return Selector(LabelSelector(match_expressions=[_requirement(part) for part in parts]))
    except InvalidResourceError as error:
        reason = str(error).partition(": ")[2]  # without the path it would have in a resource
        raise BadInputError(f"selector {shown(text)}: {reason}") from None


def _requirement(text: str) -> Requirement:
    for form, operator in _FORMS:
        if found := form.fullmatch(text):
            named = found.groupdict()
            values = [part.strip() for part in named["values"].split(",")] if "values" in named else UNSET
            return Requirement(found["key"], operator, values)
    raise BadInputError(
        f"selector {shown(text)} cannot be read: "
        "write key=value, key!=value, key in (a,b), key notin (a,b), key or !key, joined by commas"
    )
