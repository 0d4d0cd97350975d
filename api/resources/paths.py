"""Where resources stand in the HTTP interface, as Kubernetes spells it, and which of them have a status to write."""

from typing import Final

from fleet.decisions.signed_request import SIGNED_REQUEST_KIND
from fleet.resources import Kind

STATUS_KINDS: Final = frozenset({SIGNED_REQUEST_KIND})
"""Kinds whose paths have a `status` subresource."""


def group_path(group: str, version: str) -> str:
    """What the paths of a group's version begin with; the core group has a place of its own."""
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def all_path(kind: Kind) -> str:
    """The resources of a kind in all namespaces; all of them, for a kind without."""
    return f"{group_path(kind.group, kind.version)}/{kind.plural}"


def collection_path(kind: Kind) -> str:
    """The resources of a kind, of one namespace where it has any: a path template."""
    if not kind.is_namespaced:
        return all_path(kind)
    return f"{group_path(kind.group, kind.version)}/namespaces/{{namespace:str}}/{kind.plural}"


def single_path(kind: Kind) -> str:
    """One resource: a path template."""
    return f"{collection_path(kind)}/{{name:str}}"
