"""The merge of a file's last version, its new version and the live resource."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.resources.merge_patch import merge_patch
from fleet.resources.three_way_merge import three_way_patch

JSONObject = dict[str, Any]


@pytest.mark.parametrize(
    ("last", "wanted", "live", "patch"),
    [
        ({"a": 1}, {"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {"a": 1}, {"a": 2}),
        ({"a": 1}, {}, {"a": 1}, {"a": None}),
        ({"a": 1}, {}, {}, {}),
        ({}, {}, {"a": 1}, {}),
        ({}, {"a": 1}, {"b": 2}, {"a": 1}),
        ({}, {"a": None}, {"a": 1}, {"a": None}),
        ({}, {"a": None}, {}, {}),
        ({"s": {"a": 1, "b": 1}}, {"s": {"a": 1}}, {"s": {"a": 1, "b": 1, "c": 1}}, {"s": {"b": None}}),
        ({"s": {"a": 1}}, {"s": {"a": 1}}, {"s": 5}, {"s": {"a": 1}}),
        ({}, {"s": {}}, {}, {}),
        ({"s": {"a": 1}}, {}, {"s": {"a": 1, "b": 1}}, {"s": {"a": None}}),
        ({"s": {"a": 1}}, {}, {"s": {"a": 2}}, {"s": None}),
        ({"s": {"a": {"x": 1}}}, {}, {"s": {"a": {"x": 1}}}, {"s": None}),
        ({"s": {"a": 1}}, {}, {"s": {"b": 1}}, {}),
        ({"l": [1, 2]}, {"l": [2]}, {"l": [1, 2]}, {"l": [2]}),
        ({}, {"a": True}, {"a": 1}, {"a": True}),
        ({}, {"l": [{"a": False}]}, {"l": [{"a": 0}]}, {"l": [{"a": False}]}),
    ],
)
def test_patch_says_what_the_file_changed_and_no_more(
    last: JSONObject, wanted: JSONObject, live: JSONObject, patch: JSONObject
) -> None:
    """Set what the file says, remove what it stopped saying, leave what others set."""
    assert three_way_patch(last, wanted, live) == patch


values = st.recursive(
    st.integers(0, 2) | st.booleans() | st.text("ab", max_size=1) | st.lists(st.integers(0, 1), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from("abcd"), values, max_size=4)


@given(objects, objects, objects)
def test_patched_resource_says_what_the_file_says(last: JSONObject, wanted: JSONObject, live: JSONObject) -> None:
    """Whatever was there, afterwards every field of the file is as the file has it, and nothing else differs."""
    patched = merge_patch(live, three_way_patch(last, wanted, live))
    assert _contains(patched, wanted)
    for key in live.keys() - wanted.keys() - last.keys():
        assert patched[key] == live[key]
    for key in last.keys() - wanted.keys():
        assert not _leaves({key: last[key]}) & _leaves({key: patched[key]} if key in patched else {})


@given(objects, objects, objects)
def test_second_run_changes_nothing(last: JSONObject, wanted: JSONObject, live: JSONObject) -> None:
    """Applying a file twice is applying it once."""
    patched = merge_patch(live, three_way_patch(last, wanted, live))
    assert three_way_patch(wanted, wanted, patched) == {}


def _contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and _contains(whole[key], part[key]) for key in part)
    return bool(whole == part)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Paths of everything that is not an object."""
    if not isinstance(value, dict):
        return {path}
    return {leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, key))}
