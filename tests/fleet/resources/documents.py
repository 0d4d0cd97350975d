"""Documents for tests: the smallest valid one of each kind, and how to change one."""

from copy import deepcopy
from typing import Any

from fleet.resources import KINDS, Validated, validate

Document = dict[str, Any]

SMALLEST: dict[str, Document] = {
    "Namespace": {},
    "Secret": {},
    "ConfigMap": {},
    "EdgeDevice": {},
    "EdgeDeviceSet": {},
    "EdgeWorkload": {
        "spec": {"type": "pod", "device": "d", "pod": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}
    },
    "EdgeDeviceSignedRequest": {"spec": {"targetNamespace": "ns"}},
    "EdgeConfig": {},
    "PlaybookExecution": {"spec": {"playbook": {"content": "eA=="}}},
}


def document(kind: str, changes: Document | None = None) -> Document:
    """The smallest document of a kind with some fields set; a field is named by its path, `None` removes it."""
    made = {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": {"name": "n"}, **deepcopy(SMALLEST[kind])}
    if KINDS[kind].is_namespaced:
        made["metadata"]["namespace"] = "ns"
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place = made
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is None:
            place.pop(last)
        else:
            place[last] = value
    return made


def validated(kind: str, changes: Document | None = None, **options: Any) -> Validated:
    """Validate such a document."""
    return validate(KINDS[kind], document(kind, changes), **options)
