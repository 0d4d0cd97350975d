"""What must change so that a resource is as its file says: `kubectl apply`'s merge of three versions.

The file's last version (kept in an annotation), its new version and the live resource give a JSON merge patch
(RFC 7386): what the file says now is set, what it said before and no longer says is removed, and what others set is
left alone. Lists are replaced as a whole.
"""

from typing import Any

from fleet.decisions.commands import JSONObject


def three_way_patch(last: JSONObject, wanted: JSONObject, live: JSONObject) -> JSONObject:
    """The merge patch that brings `live` to what `wanted` says; empty when it is so already. Changes nothing."""
    patch: JSONObject = {
        key: removal
        for key, said in last.items()
        if key not in wanted and key in live and (removal := _removal(said, live[key])) != {}
    }
    for key, value in wanted.items():
        if value is None:
            if key in live:
                patch[key] = None
        elif isinstance(value, dict):
            if (inner := _inner_patch(last.get(key), value, live.get(key))) is not None:
                patch[key] = inner
        elif key not in live or not _is_same(live[key], value):
            patch[key] = value
    return patch


def _removal(said: Any, live: Any) -> JSONObject | None:
    """The patch that takes away what the file said: None for all of it, else what of an object must go.

    kubectl would remove the whole object, with what others set in it.
    """
    if not (isinstance(said, dict) and isinstance(live, dict)):
        return None
    patch = {key: _removal(said[key], value) for key, value in live.items() if key in said}
    is_emptied = all(key in patch and patch[key] is None for key in live)
    return None if is_emptied else {key: inner for key, inner in patch.items() if inner != {}}


def _inner_patch(last: Any, wanted: JSONObject, live: Any) -> JSONObject | None:
    """The patch of an object inside; None when there is nothing to change."""
    if not isinstance(live, dict):
        # A merge patch sets an object where there was none, or something else, by merging into an empty one. An empty
        # object says nothing, and servers leave it out.
        return wanted if wanted and any(value is not None for value in wanted.values()) else None
    return three_way_patch(last if isinstance(last, dict) else {}, wanted, live) or None


def _is_same(one: Any, other: Any) -> bool:
    """Equality of JSON values: unlike in Python, true is not 1."""
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)
