"""Trying resources whose namespace is only created by the same run."""

from cli.http_client import RefusedError
from cli.resources.manifests import Manifest
from cli.resources.rehearsal import is_only_in_the_way_here, rehearsed
from fleet.resources import KINDS


def manifest(kind: str, namespace: str, **spec: str) -> Manifest:
    """A resource as read from a file."""
    body = {"metadata": {"name": "x", "namespace": namespace}, "spec": spec}
    return Manifest("a.yaml: document 1", KINDS[kind], namespace, "x", body, [])


def test_resource_of_a_new_namespace_is_tried_in_the_initial_one() -> None:
    """The new one is not there yet, and the server refuses what belongs in it."""
    wanted = manifest("EdgeWorkload", "new")
    tried = rehearsed(wanted, frozenset({"new"}), "default")
    assert (tried.namespace, tried.body["metadata"]["namespace"]) == ("default", "default")
    assert wanted.body["metadata"]["namespace"] == "new"


def test_signed_request_for_a_new_namespace_is_tried_for_the_initial_one() -> None:
    """Its target must exist as well."""
    wanted = manifest("EdgeDeviceSignedRequest", "default", targetNamespace="new")
    assert rehearsed(wanted, frozenset({"new"}), "default").body["spec"]["targetNamespace"] == "default"


def test_resource_of_an_existing_namespace_is_tried_as_it_is() -> None:
    """Nothing is replaced without need."""
    wanted = manifest("EdgeWorkload", "old", targetNamespace="old")
    assert rehearsed(wanted, frozenset({"new"}), "default") == wanted


def test_name_that_is_taken_in_the_initial_namespace_is_free_in_the_new_one() -> None:
    """Unless it is a device's: of that id there is one in the whole installation."""
    conflict = RefusedError("already exists", 409)
    for kind, is_fine in (("EdgeWorkload", True), ("Secret", True), ("EdgeDevice", False)):
        wanted = manifest(kind, "new")
        tried = rehearsed(wanted, frozenset({"new"}), "default")
        assert is_only_in_the_way_here(wanted, tried, conflict) is is_fine
    wanted = manifest("EdgeWorkload", "old")
    assert not is_only_in_the_way_here(wanted, wanted, conflict)
    tried = rehearsed(manifest("EdgeWorkload", "new"), frozenset({"new"}), "default")
    assert not is_only_in_the_way_here(manifest("EdgeWorkload", "new"), tried, RefusedError("invalid", 422))
