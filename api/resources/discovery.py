"""What a Kubernetes client asks first: which version this is, which groups and which resources there are. Pure.

Both forms are made: a document a group, as all clients read, and the aggregated one that saves `kubectl` requests.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from api.resources.paths import STATUS_KINDS
from api.resources.verbs import status_verbs_of, verbs_of
from fleet.decisions.commands import JSONObject
from fleet.resources import KINDS, Kind
from fleet.resources.event import EVENT

VERSION: Final[JSONObject] = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0+muster",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "",
}
"""The version of Kubernetes whose ways these paths follow: `kubectl` compares it with its own."""

GROUPS: Final = {
    group: sorted({kind.version for kind in KINDS.values() if kind.group == group})
    for group in dict.fromkeys(kind.group for kind in KINDS.values())
}
"""Versions by group, the core group under ""."""

AGGREGATED_TYPE: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def wants_aggregated(accept: str) -> bool:
    """Whether a client reads the aggregated form, in the one version that is made here."""
    offered = (part.replace(" ", "") for part in accept.split(","))
    return any("as=APIGroupDiscoveryList" in part and ";v=v2;" in f"{part};" for part in offered)


def core_versions() -> JSONObject:
    """`/api`."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def group_list() -> JSONObject:
    """`/apis`."""
    groups = [_group(name, versions) for name, versions in GROUPS.items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(name: str) -> JSONObject:
    """`/apis/GROUP`."""
    return {"kind": "APIGroup", "apiVersion": "v1"} | _group(name, GROUPS[name])


def resource_list(name: str, version: str) -> JSONObject:
    """`/api/v1` or `/apis/GROUP/VERSION`."""
    resources = [resource for kind in _kinds(name, version) for resource in _resources(kind)]
    group_version = f"{name}/{version}" if name else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


def aggregated(*, is_core: bool) -> JSONObject:
    """`/api` or `/apis` with everything below them."""
    items = [
        {"metadata": {"name": name} if name else {}, "versions": [_discovered(name, version) for version in versions]}
        for name, versions in GROUPS.items()
        if is_core is not bool(name)
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _kinds(name: str, version: str) -> list[Kind]:
    return [kind for kind in (*KINDS.values(), EVENT) if (kind.group, kind.version) == (name, version)]


def _group(name: str, versions: Sequence[str]) -> JSONObject:
    named = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": named, "preferredVersion": named[0]}


def _resources(kind: Kind) -> Iterator[JSONObject]:
    named: JSONObject = {"namespaced": kind.is_namespaced, "kind": kind.kind}
    resource = {"name": kind.plural, "singularName": kind.singular, **named, "verbs": verbs_of(kind)}
    yield resource | ({"shortNames": list(kind.short_names)} if kind.short_names else {})
    if kind.kind in STATUS_KINDS:
        yield {"name": f"{kind.plural}/status", "singularName": "", **named, "verbs": status_verbs_of(kind)}


def _discovered(name: str, version: str) -> JSONObject:
    resources = [_discovered_kind(kind) for kind in _kinds(name, version)]
    return {"version": version, "freshness": "Current", "resources": resources}


def _discovered_kind(kind: Kind) -> JSONObject:
    response_kind = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    found: dict[str, Any] = {
        "resource": kind.plural,
        "responseKind": response_kind,
        "scope": "Namespaced" if kind.is_namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": verbs_of(kind),
    }
    if kind.short_names:
        found["shortNames"] = list(kind.short_names)
    if kind.kind in STATUS_KINDS:
        status = {"subresource": "status", "responseKind": response_kind, "verbs": status_verbs_of(kind)}
        found["subresources"] = [status]
    return found
