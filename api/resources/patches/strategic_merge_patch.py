"""Kubernetes' strategic merge patch, for the core kinds, to which `kubectl` sends nothing else.

None of their lists has a merge key that counts here (finalizers and owners are the server's), so lists replace; what is
left of the strategy are the directives. Source: Kubernetes “Strategic Merge Patch”.
"""

from typing import Any, Final

from fleet.decisions.commands import JSONObject
from fleet.errors import BadInputError
from fleet.resources.merge_patch import DEPTH_LIMIT

_PATCH: Final = "$patch"
_RETAIN_KEYS: Final = "$retainKeys"
_LIST_DIRECTIVES: Final = ("$setElementOrder/", "$deleteFromPrimitiveList/")
"""Directives about the elements of lists; since lists replace, they say nothing new."""


def strategic_merge_patch(target: JSONObject, patch: JSONObject) -> JSONObject:
    """The target with the patch applied. Raises BadInputError for a directive it does not know."""
    return _merge(target, patch, 0)


def _merge(target: Any, patch: JSONObject, depth: int) -> JSONObject:
    if depth > DEPTH_LIMIT:
        raise BadInputError(f"the patch is nested deeper than {DEPTH_LIMIT} levels")
    directive = patch.get(_PATCH, "merge")
    if directive == "delete":
        return {}
    if directive not in ("merge", "replace"):
        raise BadInputError(f"{_PATCH} is merge, replace or delete")
    merged = dict(target) if isinstance(target, dict) and directive == "merge" else {}
    retained = patch.get(_RETAIN_KEYS)
    if isinstance(retained, list):
        merged = {key: value for key, value in merged.items() if key in retained}
    for key, value in patch.items():
        if key in (_PATCH, _RETAIN_KEYS) or key.startswith(_LIST_DIRECTIVES):
            continue
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merge(merged.get(key), value, depth + 1)
        else:
            merged[key] = value
    return merged
