"""Reads what a watch asks for: which resources, from which revision on, for how long."""

from typing import Final, NamedTuple

from litestar.datastructures import MultiDict

from api.resources.selection import Selection, read_selection
from fleet.errors import BadInputError
from fleet.names import shown

DEFAULT_TIMEOUT_S: Final = 3600
"""Long: `kubectl get --watch` ends without a word when the stream does."""

LONGEST_TIMEOUT_S: Final = 24 * 3600


class Wanted(NamedTuple):
    """`since` is the revision after which changes are told; None begins with what there is."""

    selection: Selection
    since: int | None
    timeout_s: int
    has_bookmarks: bool


def is_watch(query: MultiDict[str]) -> bool:
    """Whether a list shall be followed rather than read."""
    return _is_true(query.get("watch"))


def read_wanted(query: MultiDict[str]) -> Wanted:
    """The query of a watch. Raises BadInputError."""
    if _is_true(query.get("sendInitialEvents")):
        raise BadInputError("sendInitialEvents is not supported: list first, then watch from its resourceVersion")
    return Wanted(
        read_selection(query.get("labelSelector"), query.get("fieldSelector")),
        _number("resourceVersion", query.get("resourceVersion")) or None,
        min(_number("timeoutSeconds", query.get("timeoutSeconds")) or DEFAULT_TIMEOUT_S, LONGEST_TIMEOUT_S),
        _is_true(query.get("allowWatchBookmarks")),
    )


def _is_true(text: str | None) -> bool:
    return text in ("1", "true", "True")


def _number(name: str, text: str | None) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise BadInputError(f"{name} is not a number: {shown(text)}")
    return int(text[:20])
