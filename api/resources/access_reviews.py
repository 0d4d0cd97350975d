"""What `kubectl auth can-i` and `auth whoami` ask: who the caller is, and what may be done here. Pure.

Whoever reaches the management plane may do all that it offers; so the answer tells what it offers.
"""

from typing import Any, Final, NamedTuple

from api.resources.verbs import status_verbs_of, verbs_of
from fleet.decisions.commands import JSONObject
from fleet.resources import KINDS
from fleet.resources.event import EVENT

AUTHENTICATION: Final = "authentication.k8s.io/v1"
AUTHORIZATION: Final = "authorization.k8s.io/v1"

_ANY: Final = "*"


class _Offer(NamedTuple):
    group: str
    resource: str
    verbs: list[str]


_OFFERS: Final = [
    *(_Offer(kind.group, kind.plural, verbs_of(kind)) for kind in (*KINDS.values(), EVENT)),
    *(_Offer(kind.group, f"{kind.plural}/status", status_verbs_of(kind)) for kind in KINDS.values()),
]


def who_am_i(user: str) -> JSONObject:
    """A SelfSubjectReview."""
    return {
        "apiVersion": AUTHENTICATION,
        "kind": "SelfSubjectReview",
        "metadata": {},
        "status": {"userInfo": {"username": user}},
    }


def may_i(review: JSONObject) -> JSONObject:
    """A SelfSubjectAccessReview, answered."""
    spec: Any = review.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    resource: Any = spec.get("resourceAttributes")
    reason = _not_offered(resource) if isinstance(resource, dict) else ""
    status = {"allowed": not reason, "reason": reason or "whoever reaches the management plane may do what it offers"}
    return {
        "apiVersion": AUTHORIZATION,
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": spec,
        "status": status,
    }


def what_may_i(review: JSONObject) -> JSONObject:
    """A SelfSubjectRulesReview, answered."""
    rules = [
        {"verbs": offer.verbs, "apiGroups": [offer.group], "resources": [offer.resource]}
        for offer in _OFFERS
        if offer.verbs
    ]
    return {
        "apiVersion": AUTHORIZATION,
        "kind": "SelfSubjectRulesReview",
        "metadata": {},
        "spec": review.get("spec") or {},
        "status": {
            "resourceRules": rules,
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": [_ANY]}],
            "incomplete": False,
        },
    }


def _not_offered(attributes: JSONObject) -> str:
    """Why something cannot be done; empty when it can."""
    verb, group, name = (str(attributes.get(field) or "") for field in ("verb", "group", "resource"))
    if subresource := attributes.get("subresource"):
        name = f"{name}/{subresource}"
    if name == _ANY:
        return ""
    offers = [offer for offer in _OFFERS if offer.resource == name and group in (offer.group, _ANY)]
    if not offers:
        return "there is no such resource here"
    if verb != _ANY and all(verb not in offer.verbs for offer in offers):
        return "this cannot be done with it here"
    return ""
