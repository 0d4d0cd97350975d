"""JSON merge patch (RFC 7386): values replace, null removes, objects are merged. Nothing is changed in place."""

from typing import Any, Final

from fleet.decisions.commands import JSONObject
from fleet.errors import BadInputError

DEPTH_LIMIT: Final = 64
"""As deep as a resource may be (`fleet.resources.json_values`)."""


def merge_patch(target: JSONObject, patch: JSONObject) -> JSONObject:
    """The target with the patch applied. Raises BadInputError for a patch that is nested too deeply."""
    return _merge(target, patch, 0)


def _merge(target: Any, patch: JSONObject, depth: int) -> JSONObject:
    if depth > DEPTH_LIMIT:
        raise BadInputError(f"the patch is nested deeper than {DEPTH_LIMIT} levels")
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merge(merged.get(key), value, depth + 1)
        else:
            merged[key] = value
    return merged
