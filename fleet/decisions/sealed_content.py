"""What of a Secret's stored body is content, and what is only the seal around it."""

from typing import Any, Final

from fleet.decisions.commands import JSONObject

RESEALED_REVISION: Final = "revision"
"""The part of a new seal that says at which revision the content was last changed."""


def revision_of_content(content: Any, revision: int) -> int:
    """The revision a resource has after its body was stored at `revision`: an earlier one when it was only resealed."""
    sealed = content.get("sealed") if isinstance(content, dict) else None
    return sealed.get(RESEALED_REVISION, revision) if sealed else revision


def is_same_content(before: JSONObject, after: JSONObject) -> bool:
    """Whether two bodies of a Secret are equal but for the key that seals them."""
    return _readable(before) == _readable(after)


def _readable(body: JSONObject) -> JSONObject:
    sealed = body.get("sealed")
    return body | {"sealed": sealed["mac"]} if sealed else body
