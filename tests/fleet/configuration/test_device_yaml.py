"""YAML for devices means the same to every reader."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleet.configuration.device_yaml import to_yaml
from fleet.documents.yaml_loader import YamlLimits, load_documents

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e300, 1e300) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    """By PyYAML's idea of YAML and by Kubernetes' idea of numbers."""
    text = to_yaml(value)
    assert yaml.safe_load(text) == value
    assert [document.value for document in load_documents(text, YamlLimits())] == ([] if value is None else [value])


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "y",
        "N",
        "off",
        "0o17",
        "0x1F",
        "12:30",
        "2021-01-01",
        "~",
        "null",
        "NULL",
        ".5",
        "=",
        "<<",
        "",
        "- a",
        " ",
    ],
)
def test_text_that_some_dialect_takes_for_another_type_is_quoted(text: str) -> None:
    """Go's YAML reads `1e3` as a number and `y` as a boolean; Python's does not, and would leave them bare."""
    assert to_yaml({"k": text}) == f'k: "{text}"\n'


def test_ordinary_words_stand_plain() -> None:
    """Images, paths and names stay readable."""
    for text in ("nginx", "docker.io/nginx:1.14.2", "/var/lib/x", "a-b_c.d"):
        assert to_yaml({"k": text}) == f"k: {text}\n"


def test_equal_values_give_equal_text() -> None:
    """Keys are sorted, and shared values are written out rather than anchored."""
    shared = {"a": [1]}
    assert to_yaml({"y": shared, "x": shared}) == to_yaml({"x": {"a": [1]}, "y": {"a": [1]}})
    assert "&" not in to_yaml({"y": shared, "x": shared})
