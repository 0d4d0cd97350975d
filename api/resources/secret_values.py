"""Shows Secrets without their values, and lets a Secret shown that way be written back without losing them."""

from typing import Any, Final

import msgspec

from fleet.decisions.commands import JSONObject
from fleet.errors import InvalidResourceError

HIDDEN: Final = "PGhpZGRlbj4="
"""Base64 of `<hidden>`: stands for a value that is not shown, and, written back, for the value that is there."""

_HIDDEN_TEXT: Final = "<hidden>"

_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""Client-side apply copies the whole Secret into this annotation."""

_IN_CLEAR: Final = ("apiVersion", "kind", "type", "immutable")

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def hide(secret: JSONObject) -> JSONObject:
    """The Secret with each value replaced."""
    return secret | {"data": dict.fromkeys(secret.get("data") or {}, HIDDEN)}


def redact_last_applied(secret: JSONObject) -> JSONObject:
    """The Secret with the values in the annotation of the last apply replaced, so that they are never repeated there.

    Its keys stay: by them `kubectl apply` knows what a file no longer says. An annotation that is no Secret goes.
    """
    annotations = secret["metadata"].get("annotations")
    if not annotations or _LAST_APPLIED not in annotations:
        return secret
    redacted = _redacted(annotations[_LAST_APPLIED])
    rest = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
    kept = rest | ({_LAST_APPLIED: redacted} if redacted else {})
    metadata = {key: value for key, value in secret["metadata"].items() if key != "annotations"}
    return secret | {"metadata": metadata | ({"annotations": kept} if kept else {})}


def _redacted(text: str) -> str:
    """The Secret in an annotation without its values; nothing for what cannot be read as one."""
    try:
        applied = _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return ""
    kept: JSONObject = {field: applied[field] for field in _IN_CLEAR if field in applied}
    metadata = applied.get("metadata")
    if isinstance(metadata, dict):
        kept["metadata"] = {key: value for key, value in metadata.items() if key in ("name", "namespace", "labels")}
    for field, value in (("data", HIDDEN), ("stringData", _HIDDEN_TEXT)):
        if isinstance(applied.get(field), dict):
            kept[field] = dict.fromkeys(applied[field], value)
    return _encode(kept).decode()


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
