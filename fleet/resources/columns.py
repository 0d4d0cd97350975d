"""Which columns a table of each kind has, for `kubectl get` and `muster get`, and how they are read from a resource.

Those of signed requests are the definition's printer columns; definitions of other kinds name none.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fleet.decisions.commands import JSONObject

_MEMBER_OF = "flotta/member-of"


class Column(NamedTuple):
    """A heading, and the text for a resource at a time. `is_wide` columns are shown on request alone (`-o wide`)."""

    heading: str
    text: Callable[[JSONObject, datetime], str]
    is_wide: bool = False


NAMESPACE = Column("NAMESPACE", lambda body, _: str(body["metadata"].get("namespace", "")))
"""Stands before the others in tables over several namespaces; `kubectl` adds it by itself."""


def columns(kind: str) -> list[Column]:
    """The columns of a kind: name, what matters of it, and age."""
    name = Column("NAME", _at("metadata", "name"))
    return [name, *_COLUMNS.get(kind, ()), Column("AGE", _age_of("metadata", "creationTimestamp"))]


def age(since: str, now: datetime) -> str:
    """How long ago a time of RFC 3339 was, as kubectl says it: `45s`, `3m`, `7h`, `12d`; empty if it is no time."""
    try:
        passed = now - datetime.fromisoformat(since)
    except (ValueError, TypeError):
        return ""
    seconds = max(0, int(passed / timedelta(seconds=1)))
    for unit, length, until in (("s", 1, 120), ("m", 60, 120 * 60), ("h", 3600, 48 * 3600)):
        if seconds < until:
            return f"{seconds // length}{unit}"
    return f"{seconds // 86400}d"


def _value(body: JSONObject, *path: str) -> Any:
    value: Any = body
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _at(*path: str) -> Callable[[JSONObject, datetime], str]:
    def text(body: JSONObject, _: datetime) -> str:
        value = _value(body, *path)
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None or isinstance(value, dict | list) else str(value)

    return text


def _age_of(*path: str) -> Callable[[JSONObject, datetime], str]:
    return lambda body, now: age(_value(body, *path) or "", now)


def _count(*path: str) -> Callable[[JSONObject, datetime], str]:
    return lambda body, _: str(len(_value(body, *path) or ()))


def _label(key: str) -> Callable[[JSONObject, datetime], str]:
    return _at("metadata", "labels", key)


def _device_state(body: JSONObject, _: datetime) -> str:
    if _value(body, "metadata", "deletionTimestamp"):
        return "deleting"
    return str(_value(body, "status", "state") or "")


def _selects(body: JSONObject, _: datetime) -> str:
    """Which devices a workload is for: the one named wins over the selector."""
    device = _value(body, "spec", "device")
    if device:
        return f"device {device}"
    selector = _value(body, "spec", "deviceSelector") or {}
    labels = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    expressions = [
        " ".join(str(part) for part in (one.get("key"), one.get("operator"), ",".join(one.get("values") or ())) if part)
        for one in selector.get("matchExpressions") or ()
        if isinstance(one, dict)
    ]
    return ", ".join(labels + expressions)


def _phases(body: JSONObject, _: datetime) -> str:
    """How many devices say what of a workload."""
    return ", ".join(f"{devices} {phase}" for phase, devices in (_value(body, "status", "phases") or {}).items())


def _images(body: JSONObject, _: datetime) -> str:
    containers = _value(body, "spec", "pod", "spec", "containers") or ()
    return ",".join(str(_value(container, "image") or "") for container in containers)


def _condition(body: JSONObject, _: datetime) -> str:
    """The last condition that holds."""
    holding = [
        str(condition.get("type"))
        for condition in _value(body, "status", "conditions") or ()
        if isinstance(condition, dict) and condition.get("status") == "True"
    ]
    return holding[-1] if holding else ""


def _involved(body: JSONObject, _: datetime) -> str:
    """What an event is about."""
    involved = body.get("involvedObject") or {}
    return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"


_COLUMNS: dict[str, tuple[Column, ...]] = {
    "EdgeDevice": (
        Column("STATE", _device_state),
        Column("STATUS", _at("status", "phase")),
        Column("LAST SEEN", _age_of("status", "lastSeenTime")),
        Column("VERSION", _at("status", "lastSyncedResourceVersion")),
        Column("DRIFTED", _age_of("status", "driftedSince")),
        Column("SET", _label(_MEMBER_OF)),
        Column("WANTED", _at("status", "wantedVersion"), is_wide=True),
    ),
    "EdgeDeviceSignedRequest": (
        Column("DEVICEID", _at("metadata", "name")),
        Column("TARGETNAMESPACE", _at("spec", "targetNamespace")),
        Column("APPROVED", _at("spec", "approved")),
        Column("STATUS", _condition),
        Column("SET", _at("spec", "targetSet")),
    ),
    "EdgeWorkload": (Column("DEVICES", _selects), Column("REPORTED", _phases), Column("IMAGES", _images)),
    "EdgeDeviceSet": (Column("PERIOD", _at("spec", "heartbeat", "periodSeconds")),),
    "EdgeConfig": (Column("PLAYBOOKS", _count("spec", "edgePlaybook", "playbooks")),),
    "PlaybookExecution": (Column("STATUS", _condition),),
    "Event": (
        Column("LAST SEEN", _age_of("lastTimestamp")),
        Column("TYPE", _at("type")),
        Column("REASON", _at("reason")),
        Column("OBJECT", _involved),
        Column("MESSAGE", _at("message")),
    ),
    "Secret": (Column("TYPE", _at("type")), Column("DATA", _count("data"))),
    "ConfigMap": (Column("DATA", _count("data")),),
}
