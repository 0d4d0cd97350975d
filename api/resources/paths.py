"""Where resources stand in the HTTP interface, as Kubernetes spells it, and which of them have a status to write."""

import re
from typing import Final

from fleet.decisions.signed_request import DEVICE_KIND
from fleet.resources import KINDS, Kind

STATUS_KINDS: Final = frozenset(kind.kind for kind in KINDS.values() if kind.has_status)
"""Kinds whose paths have a `status` subresource."""

WRITABLE_STATUS_KINDS: Final = STATUS_KINDS - {DEVICE_KIND}
"""Those of them whose status can be written; a device's is what it reports."""

_PATH: Final = re.compile(
    r"/(?:api|apis/[^/]+)/[^/]+(?:/namespaces/[^/]+(?=/))??/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/status)?)?/?"
)


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


def kind_and_name(path: str) -> tuple[Kind | None, str]:
    """Which kind a path is about, and which resource of it, if it is about any."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None, ""
    for kind in KINDS.values():
        if kind.plural == found["plural"] and path.startswith(f"{group_path(kind.group, kind.version)}/"):
            return kind, found["name"] or ""
    return None, ""
