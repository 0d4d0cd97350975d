"""Decides the replacement of the key that a Secret is sealed with, which is no change of the Secret.

Its revision stays the one it was last changed at, so that no client's resourceVersion becomes old and no device's
configuration is assembled again; the new seal carries that revision.
"""

from fleet.decisions.commands import Change, ResealSecret
from fleet.decisions.sealed_content import RESEALED_REVISION
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Verdict, accepted, unchanged


def reseal_secret(state: FleetState, command: ResealSecret) -> Verdict:
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
