"""Creating and replacing resources: preconditions, what the server owns, and what counts as a change."""

from typing import Any, Literal

import pytest

from fleet.decisions.commands import PutResource, ResourceKey
from fleet.decisions.signed_request import MEMBER_OF_LABEL
from fleet.sealing import KeyRing
from tests.fleet.decisions.command_log import CommandLog

WORKLOAD = ResourceKey("EdgeWorkload", "plant", "web")
SECRET = ResourceKey("Secret", "plant", "token")


def body(log: CommandLog, key: ResourceKey) -> dict[str, Any]:
    """What is stored."""
    stored = log.state.get(key)
    assert stored is not None
    return stored.body


def test_a_new_resource_gets_what_the_server_owns_from_its_request() -> None:
    """So that the decision is a function of the log; what a client claims of it does not count."""
    log = CommandLog()
    claimed = {"uid": "mine", "resourceVersion": "7", "generation": 9, "labels": {"a": "b"}}
    log.put(WORKLOAD, {"spec": {}, "status": {"phase": "Running"}, "metadata": claimed})
    assert body(log, WORKLOAD) == {
        "apiVersion": "management.project-flotta.io/v1alpha1",
        "kind": "EdgeWorkload",
        "metadata": {
            "name": "web",
            "namespace": "plant",
            "labels": {"a": "b"},
            "uid": "uid-2",
            "creationTimestamp": "2023-11-14T22:13:20Z",
            "generation": 1,
        },
        "spec": {},
    }


@pytest.mark.parametrize(
    ("mode", "is_there", "result"),
    [
        ("create", False, "accepted"),
        ("create", True, "conflict"),
        ("replace", False, "not-found"),
        ("replace", True, "accepted"),
        ("upsert", False, "accepted"),
        ("upsert", True, "accepted"),
    ],
)
def test_each_mode_accepts_what_it_says(
    mode: Literal["create", "replace", "upsert"],
    is_there: bool,  # noqa: FBT001 - a case
    result: str,
) -> None:
    """As HTTP's POST, PUT and an apply need them."""
    log = CommandLog()
    if is_there:
        log.put(WORKLOAD, {"spec": {"type": "old"}})
    assert log.put(WORKLOAD, {"spec": {"type": "pod"}}, mode).result == result


def test_a_change_made_on_an_older_revision_is_refused() -> None:
    """Nobody overwrites what they have not read."""
    log = CommandLog()
    first = log.put(WORKLOAD, {"spec": {"n": 1}}).revision
    second = log.put(WORKLOAD, {"spec": {"n": 2}}, expected_revision=first).revision
    assert log.put(WORKLOAD, {"spec": {"n": 3}}, expected_revision=first).result == "conflict"
    log.delete(WORKLOAD)
    assert log.put(WORKLOAD, {"spec": {"n": 3}}, expected_revision=second).result == "conflict"


def test_a_change_of_a_resource_made_anew_since_is_refused() -> None:
    """The uid tells two resources of one name apart."""
    log = CommandLog()
    log.put(WORKLOAD, {"spec": {}})
    old = body(log, WORKLOAD)
    log.delete(WORKLOAD)
    log.put(WORKLOAD, {"spec": {}})
    assert log.submit(PutResource(WORKLOAD, old, "replace", "uid-x")).result == "conflict"


def test_applying_the_same_again_changes_nothing() -> None:
    """The revision stays, so nothing is assembled anew; absent and empty labels are the same."""
    log = CommandLog()
    log.put(WORKLOAD, {"spec": {"n": 1}})
    before = log.state.get(WORKLOAD)
    again = log.put(WORKLOAD, {"spec": {"n": 1}, "metadata": {"labels": {}}})
    assert (again.result, again.changes) == ("unchanged", [])
    assert log.state.get(WORKLOAD) is before


def test_the_generation_counts_changes_of_what_is_asked_for() -> None:
    """Labels and status are not that."""
    log = CommandLog()
    log.put(WORKLOAD, {"spec": {"n": 1}})
    log.put(WORKLOAD, {"spec": {"n": 1}, "metadata": {"labels": {"a": "b"}}})
    log.put(WORKLOAD, {"status": {"phase": "Running"}}, "replace", subresource="status")
    assert body(log, WORKLOAD)["metadata"]["generation"] == 1
    log.put(WORKLOAD, {"spec": {"n": 2}})
    assert body(log, WORKLOAD)["metadata"]["generation"] == 2


def test_status_and_the_rest_are_written_apart() -> None:
    """Each keeps the other as it is."""
    log = CommandLog()
    log.put(WORKLOAD, {"spec": {"n": 1}})
    status = {"phase": "Running"}
    assert log.put(WORKLOAD, {"spec": {"n": 5}, "status": status}, subresource="status").result == "accepted"
    assert (body(log, WORKLOAD)["spec"], body(log, WORKLOAD)["status"]) == ({"n": 1}, status)
    log.put(WORKLOAD, {"spec": {"n": 2}, "status": {"phase": "claimed"}})
    assert (body(log, WORKLOAD)["spec"], body(log, WORKLOAD)["status"]) == ({"n": 2}, status)
    assert log.put(WORKLOAD, {"status": status}, subresource="status").result == "unchanged"
    absent = ResourceKey("EdgeWorkload", "plant", "absent")
    assert log.put(absent, {"status": status}, subresource="status").result == "not-found"


def test_a_resource_needs_its_namespace() -> None:
    """Create it first."""
    log = CommandLog()
    assert log.put(ResourceKey("ConfigMap", "nowhere", "c"), {}).result == "not-found"


def test_membership_of_a_set_that_does_not_exist_is_accepted() -> None:
    """The set may come later; the API warns."""
    log = CommandLog()
    device = {"spec": {}, "metadata": {"labels": {MEMBER_OF_LABEL: "to-come"}}}
    assert log.put(ResourceKey("EdgeDevice", "plant", "dev"), device).result == "accepted"


def sealed(value: str, nonce: int, key_id: str = "k1") -> dict[str, Any]:
    """The stored form of the Secret with a value."""
    ring = KeyRing({"k1": b"1" * 32, "k2": b"2" * 32}, key_id, b"i" * 32)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token", "namespace": "plant"}}
    return ring.seal(secret | {"data": {"password": value}}, nonce.to_bytes(12))


def test_a_secret_sealed_again_is_unchanged_when_its_content_is() -> None:
    """Neither another nonce nor another key is a change; another value or label is."""
    log = CommandLog()
    log.put(SECRET, sealed("cGx1bQ==", 1))
    before = body(log, SECRET)["sealed"]
    assert log.put(SECRET, sealed("cGx1bQ==", 2)).result == "unchanged"
    assert log.put(SECRET, sealed("cGx1bQ==", 3, "k2")).result == "unchanged"
    labelled = sealed("cGx1bQ==", 4) | {"metadata": {"labels": {"a": "b"}}}
    assert log.put(SECRET, labelled).result == "accepted"
    assert body(log, SECRET)["sealed"] == before
    assert log.put(SECRET, sealed("cGVhcg==", 5)).result == "accepted"
    assert body(log, SECRET)["sealed"] != before
