"""Field selectors as queries carry them: `metadata.name=web,metadata.namespace!=shops`.

Source: Kubernetes “Field Selectors”; a field that is not selectable is refused in the words `kubectl` knows.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from fleet.errors import BadInputError
from fleet.label_selectors import LENGTH_LIMIT
from fleet.names import shown

RESOURCE_FIELDS: Final = frozenset({"metadata.name", "metadata.namespace"})

SelectsFields = Callable[[Mapping[str, str]], bool]
"""Whether the values of all selectable fields, "" for absent ones, fulfil a selector."""

_TERM: Final = re.compile(r"(?P<field>[A-Za-z.]+)\s*(?P<operator>==?|!=)\s*(?P<value>[^=!]*)")


def read_field_selector(text: str, fields: frozenset[str]) -> SelectsFields:
    """The selector that a text stands for; an empty text selects everything. Raises BadInputError."""
    if len(text) > LENGTH_LIMIT:
        raise BadInputError(f"the field selector has more than {LENGTH_LIMIT} characters")
    terms = [_term(part.strip(), fields) for part in text.split(",") if part.strip()]
    return lambda values: all((values.get(field, "") == value) is is_equal for field, value, is_equal in terms)


def required_value(text: str, field: str) -> str | None:
    """The value that a selector wants a field to have, if it wants one: by it less need be read."""
    for part in text.split(","):
        found = _TERM.fullmatch(part.strip())
        if found and found["field"] == field and found["operator"] != "!=":
            return found["value"].strip()
    return None


def _term(text: str, fields: frozenset[str]) -> tuple[str, str, bool]:
    found = _TERM.fullmatch(text)
    if found is None:
        raise BadInputError(f"field selector {shown(text)} cannot be read: write field=value or field!=value")
    if found["field"] not in fields:
        raise BadInputError(f"field label not supported: {found['field']}: select by {' or '.join(sorted(fields))}")
    return found["field"], found["value"].strip(), found["operator"] != "!="
