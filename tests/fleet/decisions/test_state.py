"""The state never goes back, and says what a change can matter to."""

from typing import Any

import msgspec
import pytest

from fleet.decisions.commands import Change, Outcome, ResourceKey
from fleet.decisions.identity_changes import identity_change
from fleet.decisions.state import FleetState
from fleet.devices.states import DeviceIdentity, DeviceState

WORKLOAD = ResourceKey("EdgeWorkload", "plant", "web")
DEVICE = ResourceKey("EdgeDevice", "plant", "dev")


def outcome(revision: int, *changes: Change, result: Any = "accepted") -> Outcome:
    """What the feed brings."""
    return Outcome(revision, f"r{revision}", "ann", 0, result, "", list(changes), [])


def test_an_outcome_delivered_again_changes_nothing() -> None:
    """Not even when its resource has been deleted since."""
    state = FleetState("default")
    made, deleted = outcome(1, Change(WORKLOAD, {"spec": 1})), outcome(2, Change(WORKLOAD, None))
    assert [state.apply_outcome(each) for each in (made, deleted, made, deleted)] == [True, True, False, False]
    assert state.get(WORKLOAD) is None
    assert state.revision == 2


@pytest.mark.parametrize("key", [WORKLOAD, DEVICE])
def test_an_older_revision_never_overwrites_a_newer_one(key: ResourceKey) -> None:
    """Of a resource, whatever order a load comes in."""
    state = FleetState("default")
    state.load(key, b'{"spec":"new"}', 5)
    state.apply(Change(key, {"spec": "old"}), 4)
    stored = state.get(key)
    assert stored is not None
    assert (stored.revision, stored.body) == (5, {"spec": "new"})


def test_an_older_identity_never_overwrites_a_newer_one() -> None:
    """Nor does the count of those who wait go wrong."""
    state = FleetState("default")
    pending = DeviceIdentity("dev", DeviceState.PENDING, "plant", requested_at_ms=1)
    state.apply(identity_change(msgspec.structs.replace(pending, state=DeviceState.APPROVED)), 5)
    state.apply(identity_change(pending), 4)
    assert (state.device_state("dev"), state.pending_count) == (DeviceState.APPROVED, 0)


def test_what_was_refused_is_not_applied() -> None:
    """Only the place in the log moves on."""
    state = FleetState("default")
    state.apply_outcome(outcome(3, Change(WORKLOAD, {"spec": 1}), result="conflict"))
    assert (state.get(WORKLOAD), state.revision) == (None, 3)


@pytest.mark.parametrize("body", [{"spec": {"n": 1}}, {"spec": {"deep": [1, {"x": None}]}, "metadata": {"name": "ü"}}])
@pytest.mark.parametrize("key", [WORKLOAD, DEVICE])
def test_packed_or_not_a_body_reads_back_as_it_was(key: ResourceKey, body: dict[str, Any]) -> None:
    """Devices are kept as bytes; nobody else needs to know."""
    state = FleetState("default")
    state.apply(Change(key, body), 1)
    stored = state.get(key)
    assert stored is not None
    assert stored.body == msgspec.json.decode(stored.json) == body


def test_a_shared_change_raises_the_generation_of_its_namespace_alone() -> None:
    """All configurations there may differ from then on."""
    state = FleetState("default")
    state.apply(Change(WORKLOAD, {"spec": 1}), 1)
    assert (state.generation("plant"), state.generation("default")) == (1, 0)
    state.apply(Change(WORKLOAD, {"spec": 1, "status": {"phase": "Running"}}), 2)
    assert state.generation("plant") == 1
    state.apply(Change(WORKLOAD, None), 3)
    assert state.generation("plant") == 2


def test_a_devices_change_is_a_matter_of_that_device() -> None:
    """Registering a fleet must not assemble everybody's configuration anew."""
    state = FleetState("default")
    for device_id in ("dev", "other"):
        state.apply(identity_change(DeviceIdentity(device_id, DeviceState.PENDING, "plant")), 1)
    changes = [Change(DEVICE, {"spec": 1}), identity_change(DeviceIdentity("dev", DeviceState.APPROVED, "plant"))]
    for revision, change in enumerate(changes, start=2):
        for device_id in ("dev", "other"):
            state.identities.set_note(device_id, "its configuration")
        state.apply(change, revision)
        assert (state.identities.note("dev"), state.identities.note("other")) == (None, "its configuration")
    assert state.generation("plant") == 0


def test_the_initial_namespace_exists_before_anything_else() -> None:
    """And is the same in every process."""
    assert FleetState("default").has_namespace("default")
    key = ResourceKey("Namespace", "", "default")
    first, second = FleetState("default").get(key), FleetState("default").get(key)
    assert first is not None
    assert first == second


def test_those_who_wait_come_oldest_first_and_in_the_same_order_after_a_load() -> None:
    """Which of them expires must not depend on how the state came to be."""
    states = [FleetState("default"), FleetState("default")]
    waiting = [
        DeviceIdentity(name, DeviceState.PENDING, "plant", requested_at_ms=at)
        for name, at in [("c", 2), ("a", 1), ("b", 2), ("d", 9)]
    ]
    for revision, identity in enumerate(waiting, start=1):
        states[0].apply(identity_change(identity), revision)
    for revision, identity in reversed(list(enumerate(waiting, start=1))):
        states[1].apply(identity_change(identity), revision)
    for state in states:
        assert [each.device_id for each in state.pending_since(5, 2)] == ["a", "b"]
        assert [each.device_id for each in state.pending_since(5, 10)] == ["a", "b", "c"]
        state.apply(Change(ResourceKey("DeviceIdentity", "", "a"), None), 20)
        assert [each.device_id for each in state.pending_since(5, 10)] == ["b", "c"]


def test_lists_over_all_namespaces_find_those_that_hold_something() -> None:
    """Also which kinds a namespace holds, before it is deleted."""
    state = FleetState("default")
    state.apply(Change(WORKLOAD, {}), 1)
    state.apply(Change(DEVICE, {}), 2)
    assert (state.namespaces_with("EdgeWorkload"), state.device_namespace("dev")) == (["plant"], "plant")
    assert sorted(state.kinds_in("plant")) == ["EdgeDevice", "EdgeWorkload"]
    state.apply(Change(WORKLOAD, None), 3)
    assert (state.namespaces_with("EdgeWorkload"), state.kinds_in("plant")) == ([], ["EdgeDevice"])
    assert list(state.resources("EdgeDevice", "plant")) == ["dev"]
