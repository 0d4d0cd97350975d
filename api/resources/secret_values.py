"""Shows Secrets without their values, and lets a Secret shown that way be written back without losing them."""

from typing import Final

from fleet.decisions.commands import JSONObject
from fleet.errors import InvalidResourceError

HIDDEN: Final = "PGhpZGRlbj4="
"""Base64 of `<hidden>`: stands for a value that is not shown, and, written back, for the value that is there."""

_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""Client-side apply copies the whole Secret into this annotation."""


def hide(secret: JSONObject) -> JSONObject:
    """The Secret with each value replaced, and without the annotation that repeats them."""
    shown = secret | {"data": dict.fromkeys(secret.get("data") or {}, HIDDEN)}
    annotations = secret["metadata"].get("annotations")
    if annotations and _LAST_APPLIED in annotations:
        kept = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        shown["metadata"] = {key: value for key, value in secret["metadata"].items() if key != "annotations"}
        shown["metadata"] |= {"annotations": kept} if kept else {}
    return shown


def restore(secret: JSONObject, held: JSONObject | None) -> JSONObject:
    """The Secret with hidden values put back from the one held (opened). Raises InvalidResourceError without it."""
    data = secret.get("data") or {}
    if HIDDEN not in data.values():
        return secret
    known = (held or {}).get("data") or {}
    for key, value in data.items():
        if value == HIDDEN and key not in known:
            raise InvalidResourceError(
                f"data[{key}] is the placeholder of a value that is not shown, and there is none yet: write the value",
                f"data[{key}]",
            )
    return secret | {"data": {key: known[key] if value == HIDDEN else value for key, value in data.items()}}
