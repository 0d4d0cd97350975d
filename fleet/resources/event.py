"""Events as Kubernetes shows them: what devices reported and what the service saw about them, made when asked for.

They are not stored as resources and nobody writes them. Source: Kubernetes core/v1 Event.
"""

import uuid
from typing import Final, NamedTuple

from fleet.decisions.commands import JSONObject
from fleet.decisions.resource_bodies import timestamp
from fleet.resources.kinds import KINDS, Kind

EVENT: Final = Kind("Event", "", "v1", "events", "event", is_namespaced=True, short_names=("ev",))

_DEVICE: Final = KINDS["EdgeDevice"]
_NORMAL: Final = frozenset({"info", "normal", ""})
"""Importances that ask nothing of an operator, in lower case; agents spell them as they like."""


class SeenEvent(NamedTuple):
    """A row of `device_events`. `sequence` and `event_index` are its place in the log of its source."""

    namespace: str
    device_id: str
    received_at_ms: int
    source: str
    partition: int
    sequence: int
    event_index: int
    type: str
    reason: str
    message: str


def event(seen: SeenEvent, device_uid: str) -> JSONObject:
    """The event; `device_uid` is that of the device's resource, empty when there is none any more."""
    place = f"{seen.source}/{seen.partition}/{seen.sequence}/{seen.event_index}"
    uid = uuid.uuid5(uuid.NAMESPACE_URL, f"muster:event:{place}")
    at = timestamp(seen.received_at_ms)
    return {
        "kind": EVENT.kind,
        "apiVersion": EVENT.api_version,
        "metadata": {
            "name": f"{seen.device_id}.{uid.hex[:16]}",
            "namespace": seen.namespace,
            "uid": str(uid),
            "resourceVersion": str(seen.sequence),
            "creationTimestamp": at,
        },
        "involvedObject": {
            "kind": _DEVICE.kind,
            "apiVersion": _DEVICE.api_version,
            "namespace": seen.namespace,
            "name": seen.device_id,
            "uid": device_uid,
        },
        "type": "Normal" if seen.type.lower() in _NORMAL else "Warning",
        "reason": seen.reason,
        "message": seen.message,
        "source": {"component": seen.source},
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
