"""Decides the replacement of the key that a Secret is sealed with, which is no change of the Secret.

Its revision stays the one it was last changed at, so that no client's resourceVersion becomes old and no device's
configuration is assembled again; the new seal carries that revision.
"""

from typing import TYPE_CHECKING, Any, Final

from fleet.decisions.commands import Change, JSONObject, ResealSecret
from fleet.decisions.verdict import Verdict, accepted, unchanged

if TYPE_CHECKING:
    from fleet.decisions.state import FleetState

RESEALED_REVISION: Final = "revision"
"""The part of a new seal that says at which revision the content was last changed."""


def reseal_secret(state: "FleetState", command: ResealSecret) -> Verdict:
    """Take the new seal, unless the Secret was changed or removed meanwhile, or has that key already."""
    held = state.get(command.key)
    sealed = held.body.get("sealed") if held else None
    if held is None or not isinstance(sealed, dict):
        return unchanged("it is gone")
    if sealed["mac"] != command.sealed["mac"]:
        return unchanged("it has other content now")
    if sealed["key_id"] == command.sealed["key_id"]:
        return unchanged()
    return accepted(Change(command.key, held.body | {"sealed": command.sealed | {RESEALED_REVISION: held.revision}}))


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
