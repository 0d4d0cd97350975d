"""Builds a resource's stored body from what a client sent: what the server owns in `metadata` is set here alone.

Only the objects that change are made anew; everything else is shared with the body it came from.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from fleet.decisions.commands import JSONObject
from fleet.decisions.sealed_content import RESEALED_REVISION

_SERVER_OWNED: Final = frozenset(
    {
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    }
)
_KEPT: Final = ("uid", "creationTimestamp", "generation", "deletionTimestamp")
_WITHOUT_GENERATION: Final = frozenset({"Secret", "ConfigMap", "Namespace"})
"""Core kinds without a `spec` to count the changes of; Kubernetes gives them no generation."""

_SEALED_AT_RANDOM: Final = frozenset({"nonce", "ciphertext", "key_id", RESEALED_REVISION})
"""Parts of a sealed Secret that differ at each sealing; `mac` tells whether the content does."""


def timestamp(unix_ms: int) -> str:
    """A time as Kubernetes writes it: RFC 3339, UTC, whole seconds."""
    return _timestamp(unix_ms // 1000)


@lru_cache(maxsize=64)
def _timestamp(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def created(body: JSONObject, uid: str, created_at_ms: int) -> JSONObject:
    """A new resource. Its status, if a client sent one, is dropped: it tells what was seen, and nothing was yet."""
    metadata = _client_metadata(body) | {"uid": uid, "creationTimestamp": timestamp(created_at_ms)}
    if body.get("kind") not in _WITHOUT_GENERATION:
        metadata["generation"] = 1
    return {field: value for field, value in body.items() if field != "status"} | {"metadata": metadata}


def replaced(held: JSONObject, body: JSONObject) -> JSONObject | None:
    """A resource with a client's new content and its old status, or None when that changes nothing."""
    held_metadata = held["metadata"]
    metadata = _client_metadata(body) | {field: held_metadata[field] for field in _KEPT if field in held_metadata}
    is_content_equal = _content(held) == _content(body)
    if is_content_equal and metadata == held_metadata:
        return None
    if not is_content_equal and "generation" in metadata:
        metadata["generation"] += 1
    new = {field: value for field, value in body.items() if field != "status"} | {"metadata": metadata}
    if is_content_equal and "sealed" in held:
        new["sealed"] = {part: value for part, value in held["sealed"].items() if part != RESEALED_REVISION}
    if "status" in held:
        new["status"] = held["status"]
    return new


def with_status(held: JSONObject, status: object) -> JSONObject | None:
    """A resource with another status, or None when it has that status."""
    return None if held.get("status") == status else held | {"status": status}


def with_labels(held: JSONObject, labels: Mapping[str, str]) -> JSONObject:
    """A resource with labels set beside those it has."""
    if not labels:
        return held
    metadata = held["metadata"]
    return held | {"metadata": metadata | {"labels": {**(metadata.get("labels") or {}), **labels}}}


def _client_metadata(body: JSONObject) -> JSONObject:
    # Empty and absent labels or annotations mean the same; clients send either.
    return {field: value for field, value in body["metadata"].items() if value and field not in _SERVER_OWNED}


def _content(body: JSONObject) -> JSONObject:
    """What a resource asks for: all but metadata and status, with a Secret's MAC in place of what it seals."""
    content = {field: value for field, value in body.items() if field not in ("metadata", "status")}
    if isinstance(sealed := content.get("sealed"), dict):
        content["sealed"] = {part: value for part, value in sealed.items() if part not in _SEALED_AT_RANDOM}
    return content
