"""What can be done with resources of each kind, in Kubernetes' words."""

from typing import Final

from api.resources.paths import STATUS_KINDS, WRITABLE_STATUS_KINDS
from fleet.resources import Kind
from fleet.resources.event import EVENT

_VERBS: Final = ("create", "delete", "get", "list", "patch", "update", "watch")


def verbs_of(kind: Kind) -> list[str]:
    """Of its resources. As in Kubernetes, namespaces are deleted one by one; events are listed and nothing else."""
    if kind is EVENT:
        return ["list"]
    return sorted([*_VERBS, "deletecollection"]) if kind.is_namespaced else list(_VERBS)


def status_verbs_of(kind: Kind) -> list[str]:
    """Of their status; none where it has no path of its own."""
    if kind.kind in WRITABLE_STATUS_KINDS:
        return ["get", "patch", "update"]
    return ["get"] if kind.kind in STATUS_KINDS else []
