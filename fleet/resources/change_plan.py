"""What `apply` sends for one resource: a function of its file and of what is there.

As `kubectl apply` does on the client's side, the file's content is kept in an annotation of the resource, so that the
next run knows what the file no longer says. Secrets are the exception: their values must not be repeated in an
annotation, so a Secret's file owns all of its data, and its labels and annotations are only ever added.
"""

from typing import NamedTuple, Protocol

import orjson

from fleet.decisions.commands import JSONObject
from fleet.resources.kinds import Kind
from fleet.resources.three_way_merge import three_way_patch

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Described(Protocol):
    """One resource as a file describes it, without fields that only the server writes."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    @property
    def body(self) -> JSONObject:
        """What it says."""


class ChangePlan(NamedTuple):
    """`create` with the whole resource, `patch` with a merge patch, or `nothing`."""

    action: str
    body: JSONObject


def plan_change(document: Described, live: JSONObject | None) -> ChangePlan:
    """What brings the live resource (None: there is none) to what the file says."""
    is_secret = document.kind.kind == "Secret"
    wanted = document.body if is_secret else _with_last_applied(document.body)
    if live is None:
        return ChangePlan("create", wanted)
    patch = _secret_patch(wanted, live) if is_secret else three_way_patch(_last_applied(live), wanted, live)
    return ChangePlan("patch", patch) if patch else ChangePlan("nothing", {})


def _with_last_applied(body: JSONObject) -> JSONObject:
    """The resource with itself in the annotation, in the form kubectl writes: sorted keys and a newline."""
    metadata = body["metadata"]
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != LAST_APPLIED}
    bare = body | {"metadata": metadata | {"annotations": annotations}}
    text = orjson.dumps(bare, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE).decode()
    return body | {"metadata": metadata | {"annotations": annotations | {LAST_APPLIED: text}}}


def _last_applied(live: JSONObject) -> JSONObject:
    """What the file said last time; nothing when the resource was not applied, or the annotation is unreadable."""
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    try:
        last = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return last if isinstance(last, dict) else {}


def _secret_patch(wanted: JSONObject, live: JSONObject) -> JSONObject:
    """Live values may be hidden, so all the file's values are sent; the server tells whether they differ."""
    keys = (wanted.get("data") or {}).keys() | (wanted.get("stringData") or {}).keys()
    gone = {key: None for key in live.get("data") or {} if key not in keys}
    return wanted | {"data": (wanted.get("data") or {}) | gone}
