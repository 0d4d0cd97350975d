"""Selectors as they are typed."""

import pytest

from fleet.errors import BadInputError
from fleet.label_selectors import LENGTH_LIMIT, read_selector

RESOURCES = {
    "a": {"app": "web", "tier": "front"},
    "b": {"app": "db"},
    "c": {"flotta/member-of": "kiosks"},
}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", {"a", "b", "c"}),
        ("app=web", {"a"}),
        ("app==web,tier=front", {"a"}),
        ("app!=web", {"b", "c"}),
        ("app in (web, db)", {"a", "b"}),
        ("app notin (web),app", {"b"}),
        (" app , !tier ", {"b"}),
        ("!app", {"c"}),
        ("app=", set()),
        ("flotta/member-of=kiosks", {"c"}),
    ],
)
def test_selector_selects_as_kubernetes_defines_it(text: str, selected: set[str]) -> None:
    """A label that is missing is unequal to everything and in no list."""
    selector = read_selector(text)
    assert {name for name, labels in RESOURCES.items() if selector.matches(labels)} == selected


@pytest.mark.parametrize("text", ["a=b=c", "a,,b", "a in b", "a in (b", "a>1", "=x", "-a", "a=-", "x/y/z=1"])
def test_what_is_no_selector_is_refused(text: str) -> None:
    """With the text that cannot be read."""
    with pytest.raises(BadInputError, match="selector"):
        read_selector(text)


def test_a_selector_is_bounded() -> None:
    """Whoever may list may send one."""
    with pytest.raises(BadInputError, match="more than"):
        read_selector("a" * (LENGTH_LIMIT + 1))
