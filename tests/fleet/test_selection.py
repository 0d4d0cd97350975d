"""Selectors select what Kubernetes says they do."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import InvalidResourceError
from fleet.resources.workload import LabelSelector
from fleet.selection import Selector

KEYS = st.sampled_from(["a", "b", "c"])
VALUES = st.sampled_from(["", "x", "y", "z"])
LABELS = st.dictionaries(KEYS, VALUES)
EXPRESSIONS = st.one_of(
    st.fixed_dictionaries(
        {"key": KEYS, "operator": st.sampled_from(["In", "NotIn"]), "values": st.lists(VALUES, min_size=1, max_size=3)}
    ),
    st.fixed_dictionaries(
        {"key": KEYS, "operator": st.sampled_from(["Exists", "DoesNotExist"])}, optional={"values": st.just([])}
    ),
)
SELECTORS = st.one_of(
    st.none(),
    st.fixed_dictionaries({}, optional={"matchLabels": LABELS, "matchExpressions": st.lists(EXPRESSIONS, max_size=3)}),
)


def selector_of(selector: dict[str, Any] | None) -> Selector:
    """Compile from JSON values."""
    return Selector(None if selector is None else msgspec.convert(selector, LabelSelector))


def documented(selector: dict[str, Any] | None, labels: dict[str, str]) -> bool:
    """Kubernetes' documentation, sentence by sentence, as slow as it may be.

    “A null label selector matches no objects. An empty label selector matches all objects. The requirements are ANDed.
    A single {key,value} in matchLabels is equivalent to an element of matchExpressions whose operator is In.” And of
    NotIn: “all resources with key equal to … and value distinct from …, and all resources with no labels with the key”.
    """
    if selector is None:
        return False
    requirements = [(key, "In", [value]) for key, value in selector.get("matchLabels", {}).items()]
    requirements += [(e["key"], e["operator"], e.get("values", [])) for e in selector.get("matchExpressions", [])]
    for key, operator, values in requirements:
        carried = [value for label, value in labels.items() if label == key]
        match operator:
            case "In":
                holds = len(carried) == 1 and any(value == carried[0] for value in values)
            case "NotIn":
                holds = not carried or all(value != carried[0] for value in values)
            case "Exists":
                holds = bool(carried)
            case _:
                holds = not carried
        if not holds:
            return False
    return True


@given(SELECTORS, LABELS)
def test_selector_selects_what_the_documentation_says(selector: dict[str, Any] | None, labels: dict[str, str]) -> None:
    """Against an independent reading of the documentation."""
    assert selector_of(selector).matches(labels) is documented(selector, labels)


def test_null_selects_nothing_and_empty_selects_all() -> None:
    """The two that look alike and are opposites."""
    for labels in ({}, {"a": "x"}):
        assert not selector_of(None).matches(labels)
        assert selector_of({}).matches(labels)


def test_not_in_holds_for_a_missing_label() -> None:
    """As in Kubernetes, absence is distinct from every value."""
    selector = selector_of({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}]})
    assert selector.matches({})
    assert selector.matches({"a": ""})
    assert not selector.matches({"a": "x"})


@pytest.mark.parametrize(
    ("expression", "field"),
    [
        ({"key": "a", "operator": "in", "values": ["x"]}, "operator"),
        ({"key": "a", "operator": "In"}, "values"),
        ({"key": "a", "operator": "NotIn", "values": []}, "values"),
        ({"key": "a", "operator": "Exists", "values": ["x"]}, "values"),
        ({"key": "a/b/c", "operator": "Exists"}, "matchExpressions[0].key"),
        ({"key": "a", "operator": "In", "values": ["not a value"]}, "matchExpressions[0].values[0]"),
    ],
)
def test_selector_kubernetes_would_refuse_is_refused(expression: dict[str, Any], field: str) -> None:
    """Wrong operators, values where none belong or none where some do, impossible keys and values."""
    with pytest.raises(InvalidResourceError) as refusal:
        selector_of({"matchExpressions": [expression]})
    assert refusal.value.field.endswith(field)
