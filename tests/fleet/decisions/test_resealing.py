"""Another key for a Secret is no change of it: revision, generation and followers stay where they are."""

from typing import Any

from api.desired_state.recent_changes import RecentChanges
from fleet.decisions.commands import Change, Outcome, PutResource, Request, ResealSecret, ResourceKey
from fleet.decisions.decide import decide
from fleet.decisions.state import FleetState
from fleet.sealing import KeyRing
from tests.fleet.decisions.command_log import LIMITS, CommandLog

SECRET = ResourceKey("Secret", "plant", "token")


def sealed(value: str, key_id: str, nonce: int = 1, **metadata: Any) -> dict[str, Any]:
    """The stored form of the Secret with a value."""
    ring = KeyRing({"k1": b"1" * 32, "k2": b"2" * 32, "k3": b"3" * 32}, key_id, b"i" * 32)
    document = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token", "namespace": "plant"} | metadata}
    return ring.seal(document | {"data": {"password": value}}, nonce.to_bytes(12))


def reseal(log: CommandLog, value: str, key_id: str) -> Outcome:
    """Ask for the Secret to be held under a key, as it was when it had that value."""
    return log.submit(ResealSecret(SECRET, sealed(value, key_id, 9)["sealed"]))


def held(log: CommandLog) -> Any:
    """What the log's state holds."""
    stored = log.state.get(SECRET)
    assert stored is not None
    return stored


def test_a_resealed_secret_keeps_its_revision() -> None:
    """Also after a second rotation: a client's resourceVersion does not become old by it."""
    log = CommandLog()
    revision = log.put(SECRET, sealed("cGx1bQ==", "k1")).revision
    assert reseal(log, "cGx1bQ==", "k2").result == "accepted"
    assert reseal(log, "cGx1bQ==", "k3").result == "accepted"
    assert held(log).revision == revision
    assert held(log).body["sealed"]["key_id"] == "k3"
    put = PutResource(SECRET, sealed("cGVhcg==", "k3"), "replace", "", expected_revision=revision)
    assert log.submit(put).result == "accepted"


def test_a_change_after_the_resealing_has_its_own_revision() -> None:
    """Of the content or of the metadata alone."""
    log = CommandLog()
    log.put(SECRET, sealed("cGx1bQ==", "k1"))
    reseal(log, "cGx1bQ==", "k2")
    labelled = log.put(SECRET, sealed("cGx1bQ==", "k2", labels={"a": "b"}))
    assert (labelled.result, held(log).revision) == ("accepted", labelled.revision)
    changed = log.put(SECRET, sealed("cGVhcg==", "k2"))
    assert held(log).revision == changed.revision


def test_resealing_assembles_no_configuration_again() -> None:
    """The namespace's generation stays."""
    log = CommandLog()
    log.put(SECRET, sealed("cGx1bQ==", "k1"))
    generation = log.state.generation("plant")
    reseal(log, "cGx1bQ==", "k2")
    assert log.state.generation("plant") == generation


def test_a_secret_changed_meanwhile_is_left_alone() -> None:
    """Its new content is sealed already; the seal of the old content would bring that back."""
    log = CommandLog()
    log.put(SECRET, sealed("cGx1bQ==", "k1"))
    changed = log.put(SECRET, sealed("cGVhcg==", "k1"))
    assert reseal(log, "cGx1bQ==", "k2").result == "unchanged"
    assert held(log).revision == changed.revision


def test_resealing_twice_is_done_once() -> None:
    """A run that was ended in the middle is repeated; what is gone stays gone."""
    log = CommandLog()
    assert reseal(log, "cGx1bQ==", "k2").result == "unchanged"
    log.put(SECRET, sealed("cGx1bQ==", "k1"))
    reseal(log, "cGx1bQ==", "k2")
    assert reseal(log, "cGx1bQ==", "k2").result == "unchanged"


def test_a_state_loaded_after_the_resealing_says_the_same_revision() -> None:
    """Whether a process saw it happen or started later."""
    log = CommandLog()
    revision = log.put(SECRET, sealed("cGx1bQ==", "k1")).revision
    outcome = reseal(log, "cGx1bQ==", "k2")
    loaded = FleetState("default")
    loaded.load(SECRET, held(log).json, outcome.revision)
    stored = loaded.get(SECRET)
    assert stored is not None
    assert stored.revision == revision


def test_those_who_watch_see_nothing_of_it() -> None:
    """A watch tells of changes."""
    state, recent = FleetState("default"), RecentChanges(10)
    first = Outcome(1, "", "", 0, "accepted", "", [Change(SECRET, sealed("cGx1bQ==", "k1"))], [])
    recent.applied(state, first)
    request = Request("r2", "ann", 0, ResealSecret(SECRET, sealed("cGx1bQ==", "k2", 9)["sealed"]))
    assert recent.applied(state, decide(state, request, 2, LIMITS))
    assert [change.revision for change in recent.read(0, 10) or ()] == [1]
