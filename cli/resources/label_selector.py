"""Label selectors as they are typed: `app=web,tier!=db,env in (a,b),!legacy`.

Source: Kubernetes “Labels and Selectors”, both its equality-based and its set-based syntax.
"""

import re
from collections.abc import Callable, Mapping

from cli.errors import CommandError

Selects = Callable[[Mapping[str, str]], bool]

_USAGE_STATUS = 2
_KEY = r"(?P<key>[A-Za-z0-9][-A-Za-z0-9_./]*)"
_VALUE = r"[-A-Za-z0-9_.]*"
_FORMS: tuple[tuple[re.Pattern[str], Callable[[str, str], Selects]], ...] = (
    (re.compile(rf"{_KEY}\s*==?\s*(?P<value>{_VALUE})"), lambda key, value: lambda labels: labels.get(key) == value),
    (re.compile(rf"{_KEY}\s*!=\s*(?P<value>{_VALUE})"), lambda key, value: lambda labels: labels.get(key) != value),
    (
        re.compile(rf"{_KEY}\s+in\s*\((?P<value>[^()]*)\)"),
        lambda key, value: lambda labels: labels.get(key) in _listed(value),
    ),
    (
        re.compile(rf"{_KEY}\s+notin\s*\((?P<value>[^()]*)\)"),
        lambda key, value: lambda labels: labels.get(key) not in _listed(value),
    ),
    (re.compile(rf"{_KEY}(?P<value>)"), lambda key, _: lambda labels: key in labels),
    (re.compile(rf"!\s*{_KEY}(?P<value>)"), lambda key, _: lambda labels: key not in labels),
)
_COMMA_OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")


def read_label_selector(text: str) -> Selects:
    """Whether labels fulfil every requirement of the text. Raises CommandError (usage)."""
    requirements = [_requirement(part.strip()) for part in _COMMA_OUTSIDE_PARENTHESES.split(text) if part.strip()]
    return lambda labels: all(requirement(labels) for requirement in requirements)


def _requirement(text: str) -> Selects:
    for form, selects in _FORMS:
        if found := form.fullmatch(text):
            return selects(found["key"], found["value"])
    raise CommandError(
        f"selector {text!r} cannot be read: write key=value, key!=value, key in (a,b), key notin (a,b), key or !key",
        _USAGE_STATUS,
    )


def _listed(text: str) -> set[str]:
    return {part.strip() for part in text.split(",")}
