"""Patches as functions: what each makes of a resource, and what bounds it."""

from typing import Any

import pytest

from api.errors import UnsupportedMediaTypeError
from api.resources.patches.json_patch import OPERATIONS_LIMIT, json_patch
from api.resources.patches.reading import PATCHED_LIMIT_BYTES, read_patch
from api.resources.patches.strategic_merge_patch import strategic_merge_patch
from api.resources.preconditions import Preconditions
from fleet.errors import BadInputError, InvalidResourceError
from fleet.resources import KINDS

RESOURCE = {"metadata": {"name": "x", "labels": {"a": "1"}}, "data": {"k": "v", "l": "w"}}


@pytest.mark.parametrize(
    ("patch", "data"),
    [
        ({"data": {"k": None}}, {"l": "w"}),
        ({"data": {"m": "n"}}, {"k": "v", "l": "w", "m": "n"}),
        ({"data": {"$patch": "replace", "m": "n"}}, {"m": "n"}),
        ({"data": {"$patch": "delete"}}, {}),
        ({"data": {"$retainKeys": ["k", "m"], "m": "n"}}, {"k": "v", "m": "n"}),
        ({"$setElementOrder/data": ["k"], "data": {"$deleteFromPrimitiveList/x": [1]}}, {"k": "v", "l": "w"}),
    ],
)
def test_a_strategic_patch_follows_its_directives(patch: dict[str, Any], data: dict[str, str]) -> None:
    """Merged, replaced, deleted, retained; what is about lists says nothing new."""
    assert strategic_merge_patch(RESOURCE, patch)["data"] == data
    assert RESOURCE["data"] == {"k": "v", "l": "w"}


def test_an_unknown_directive_is_refused() -> None:
    """Rather than stored as a field."""
    with pytest.raises(BadInputError, match="merge, replace or delete"):
        strategic_merge_patch(RESOURCE, {"data": {"$patch": "explode"}})


def test_json_operations_are_applied_in_order() -> None:
    """And the resource they are applied to stays as it is."""
    operations = [{"op": "add", "path": "/data/m", "value": "n"}, {"op": "move", "from": "/data/m", "path": "/data/k"}]
    assert json_patch(RESOURCE, operations, 1000)["data"] == {"k": "n", "l": "w"}
    assert RESOURCE["data"] == {"k": "v", "l": "w"}


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ({"op": "test", "path": "/data/k", "value": "other"}, InvalidResourceError),
        ({"op": "remove", "path": "/data/nothing"}, InvalidResourceError),
        ({"op": "add", "path": "/data/k/deeper", "value": 1}, InvalidResourceError),
        ({"op": "replace", "path": "", "value": []}, InvalidResourceError),
        ({"op": "explode", "path": "/data"}, BadInputError),
        ({"op": "add"}, BadInputError),
        ({"path": "/data"}, BadInputError),
        ({}, BadInputError),
        ("add", BadInputError),
        (None, BadInputError),
        ({"op": "add", "path": 1, "value": 1}, BadInputError),
        ({"op": ["add"], "path": "/data", "value": 1}, BadInputError),
        ({"op": "add", "path": "no-slash", "value": 1}, BadInputError),
    ],
)
def test_an_operation_that_cannot_be_is_refused(operation: Any, error: type[Exception]) -> None:
    """By its number."""
    with pytest.raises(error):
        json_patch(RESOURCE, [operation], 1000)


def test_copies_cannot_explode() -> None:
    """Each may double the resource."""
    doubling = [{"op": "copy", "from": "/data", "path": f"/data/{number}"} for number in range(60)]
    with pytest.raises(BadInputError, match="copies too much"):
        json_patch(RESOURCE, doubling, PATCHED_LIMIT_BYTES)
    with pytest.raises(BadInputError, match="operations"):
        json_patch(RESOURCE, [{"op": "test", "path": "/data/k", "value": "v"}] * (OPERATIONS_LIMIT + 1), 1000)


def test_a_patch_may_expect_a_revision() -> None:
    """As the resource it was made from had it."""
    body = b'{"metadata": {"resourceVersion": "7", "uid": "u"}}'
    expected = read_patch(KINDS["EdgeDevice"], "application/merge-patch+json; charset=utf-8", body).expected
    assert expected == Preconditions("u", 7)


def test_custom_kinds_have_no_strategy() -> None:
    """As in Kubernetes: 415."""
    with pytest.raises(UnsupportedMediaTypeError):
        read_patch(KINDS["EdgeDevice"], "application/strategic-merge-patch+json", b"{}")
