"""Many resources are tried in portions, each of which can stand by itself."""

from cli.resources.apply_together import Planned
from cli.resources.manifests import Manifest
from cli.resources.rehearsal import portions
from fleet.resources import KINDS
from fleet.resources.change_plan import ChangePlan


def planned(kind: str, name: str, namespace: str = "", *, is_new: bool = True, **spec: str) -> Planned:
    """A resource as read from a file and compared with what is there."""
    body = {"metadata": {"name": name}, "spec": spec}
    manifest = Manifest("a.yaml: document 1", KINDS[kind], namespace, name, body, [])
    return Planned(manifest, ChangePlan("create", body), "", body if is_new else None)


def names(changes: list[Planned], limit: int = 3, limit_bytes: int = 10_000) -> list[list[str]]:
    """What is tried together."""
    return [[each.manifest.name for each in portion] for portion in portions(changes, limit, limit_bytes)]


NEW = planned("Namespace", "new")
MAPS = [planned("ConfigMap", f"c{number}", "new") for number in range(5)]


def test_each_portion_has_the_new_namespaces_it_needs() -> None:
    """Once each, and before what is in them."""
    assert names([NEW, *MAPS]) == [["new", "c0", "c1"], ["new", "c2", "c3"], ["new", "c4"]]


def test_a_signed_request_needs_its_target_namespace() -> None:
    """Approved into a namespace that is not there, it would be refused."""
    request = planned("EdgeDeviceSignedRequest", "d", "default", targetNamespace="new")
    assert names([NEW, MAPS[0], MAPS[1], request]) == [["new", "c0", "c1"], ["new", "d"]]


def test_what_is_there_is_not_sent() -> None:
    """Neither a namespace nor anything else that stays as it is."""
    there = planned("Namespace", "new", is_new=False)
    assert names([there, MAPS[0], planned("ConfigMap", "same", "new", is_new=False), MAPS[1]]) == [["c0", "c1"]]
    assert names([there]) == []


def test_portions_are_bounded_in_bytes() -> None:
    """By what is sent."""
    assert names(MAPS[:3], limit_bytes=60) == [["c0"], ["c1"], ["c2"]]
