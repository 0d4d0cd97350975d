"""The outcomes of a log depend on the log alone: not on how it was cut, nor on how often it was decided."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.decisions.commands import (
    Command,
    DeleteResource,
    EnrolDevice,
    FinishDeletion,
    Outcome,
    ProveKey,
    PutResource,
    RegisterDevice,
    Request,
    ResourceKey,
    SetHardwareLabels,
)
from fleet.decisions.decider import DecidedRequests, Decider, Decision
from fleet.decisions.signed_request import API_VERSION
from fleet.decisions.state import FleetState
from fleet.decisions.state_load import load_columns
from fleet.devices.states import DeviceState
from tests.fleet.decisions.command_log import HOUR_MS, LIMITS, NOW_MS

REMEMBERED = 5

# Mostly one device in one namespace, so that its life goes on.
devices = st.sampled_from(["dev-1"] * 6 + ["dev-2", "dev-3", "dev-4", "dev-5"])
namespaces = st.sampled_from(["plant"] * 6 + ["default", "nowhere"])
keys = st.sampled_from(["aa", "bb"])


def signed_request(device: str, namespace: str, approved: bool | None) -> Command:  # noqa: FBT001 - drawn
    """A signed request, or a decision to decline one."""
    key = ResourceKey("EdgeDeviceSignedRequest", "default", device)
    metadata = {"name": device, "namespace": "default"}
    body = {"apiVersion": API_VERSION, "kind": key.kind, "metadata": metadata}
    if approved is None:
        status = {"conditions": [{"type": "Declined", "status": "True"}]}
        return PutResource(key, body | {"status": status}, "replace", "uid", subresource="status")
    return PutResource(key, body | {"spec": {"targetNamespace": namespace, "approved": approved}}, "upsert", "uid")


def resource(kind: str, namespace: str, name: str, number: int) -> Command:
    """A resource of any kind."""
    key = ResourceKey(kind, "" if kind == "Namespace" else namespace, "plant" if kind == "Namespace" else name)
    body = {"kind": kind, "metadata": {"name": key.name, "namespace": key.namespace}, "spec": {"n": number}}
    return PutResource(key, body, "upsert", f"uid-{number}")


kinds = st.sampled_from(["EdgeDevice", "EdgeWorkload", "Namespace"])
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(EnrolDevice, devices, namespaces, st.just({}), st.booleans(), st.just("u"), st.just("d")),
    st.builds(signed_request, devices, namespaces, st.sampled_from([True, True, False, None])),
    st.builds(RegisterDevice, devices, namespaces, keys, st.just({"device.hostname": "h"})),
    st.builds(ProveKey, devices, namespaces, keys),
    st.builds(SetHardwareLabels, devices, namespaces, st.just({})),
    st.builds(FinishDeletion, devices, namespaces),
    st.builds(RegisterDevice, devices, namespaces, keys, st.just({"device.hostname": "h"})),
    st.builds(resource, kinds, namespaces, devices, st.integers(0, 2)),
    st.builds(
        lambda kind, namespace, name: DeleteResource(ResourceKey(kind, namespace, name)),
        st.sampled_from(["EdgeDevice", "EdgeDeviceSignedRequest"]),
        namespaces,
        devices,
    ),
    st.just(DeleteResource(ResourceKey("Namespace", "", "plant"))),
)
requests = st.builds(
    Request,
    st.integers(0, 300).map(lambda number: f"request-{number}"),
    st.just("ann"),
    st.integers(0, 48).map(lambda hours: NOW_MS + hours * HOUR_MS),
    commands,
)
beginning = Request("beginning", "ann", NOW_MS, resource("Namespace", "", "plant", 0))
logs = st.lists(requests, min_size=20, max_size=60).map(lambda log: [beginning, *log])


def new_decider() -> Decider:
    """At the beginning of the log."""
    return Decider(FleetState("default"), DecidedRequests(REMEMBERED), LIMITS, 0)


def loaded(outcomes: Sequence[Outcome], revision: int) -> Decider:
    """A decider as it is loaded from what was stored up to a revision."""
    latest: dict[ResourceKey, tuple[bytes, int]] = {}
    for outcome in outcomes:
        for change in outcome.changes if outcome.result == "accepted" else ():
            latest.pop(change.key, None)
            if change.body is not None:
                latest[change.key] = (msgspec.json.encode(change.body), outcome.revision)
    state = FleetState("default")
    rows = [(key.kind, key.namespace, key.name, body, at) for key, (body, at) in sorted(latest.items(), reverse=True)]
    for portion in filter(None, (rows[::2], rows[1::2])):
        load_columns(state, *zip(*portion, strict=True))
    state.settle()
    state.revision = revision
    decided = [(outcome.request_id, outcome.revision) for outcome in outcomes]
    return Decider(state, DecidedRequests(REMEMBERED, decided[-REMEMBERED:]), LIMITS, revision)


def decide_all(decider: Decider, log: Sequence[Request], first: int = 1) -> list[Decision]:
    """Each request's decision."""
    return [decider.decide(request, first + index, 0) for index, request in enumerate(log)]


@settings(max_examples=150, deadline=None)
@given(logs, st.data())
def test_a_log_has_the_same_outcomes_wherever_deciding_is_taken_up_anew(
    log: list[Request], data: st.DataObject
) -> None:
    """A worker that starts from the stored state says what one says that never stopped."""
    expected = decide_all(new_decider(), log)
    cut = data.draw(st.integers(0, len(log)))
    stored = [decision.outcome for decision in expected[:cut] if decision.outcome]
    assert decide_all(loaded(stored, cut), log[cut:], cut + 1) == expected[cut:]


@settings(max_examples=80, deadline=None)
@given(logs)
def test_no_log_leads_to_a_fleet_that_contradicts_itself(log: list[Request]) -> None:
    """Whatever is asked, in whatever order, by operators and attackers."""
    decider = new_decider()
    for revision, request in enumerate(log, start=1):
        decision = decider.decide(request, revision, 0)
        state = decider.state
        assert decision.failure == ""
        homes = [name for namespace in ("default", "plant") for name in state.resources("EdgeDevice", namespace)]
        assert len(homes) == len(set(homes))
        pending = [each for each in state.identities.values() if each.state is DeviceState.PENDING]
        assert len(pending) == state.pending_count <= LIMITS.pending_limit
        for identity in state.identities.values():
            if identity.state in (DeviceState.APPROVED, DeviceState.REGISTERED, DeviceState.DELETING):
                assert identity.device_id in state.resources("EdgeDevice", identity.namespace)
                assert state.has_namespace(identity.namespace)
            if identity.state in (DeviceState.REGISTERED, DeviceState.DELETING):
                assert identity.key_fingerprint


def test_a_repeated_request_is_not_decided_again() -> None:
    """Its decision points to where the first one was."""
    decider = new_decider()
    request = Request("once", "ann", NOW_MS, resource("EdgeWorkload", "default", "web", 1))
    first, again = decide_all(decider, [request, request])
    assert first.outcome is not None
    assert (again.outcome, again.first_revision) == (None, first.revision)


def test_request_ids_are_forgotten_in_the_order_of_the_log() -> None:
    """The memory is bounded, and the same wherever it was loaded."""
    decided = DecidedRequests(2, [("a", 1), ("b", 2), ("", 3), ("c", 4)])
    assert [decided.revision_of(name) for name in ("a", "b", "c", "")] == [None, 2, 4, None]


def test_a_request_that_no_rule_foresaw_does_not_stop_the_log() -> None:
    """It is refused, and kept for a person to look at."""
    decider = new_decider()
    key = ResourceKey("EdgeWorkload", "default", "web")
    broken = Request("broken", "ann", NOW_MS, PutResource(key, {"metadata": None}, "create", "uid"))
    decision = decider.decide(broken, 1, 0)
    assert decision.outcome is not None
    assert decision.outcome.result == "invalid"
    assert "TypeError" in decision.failure or "AttributeError" in decision.failure
    assert decider.decide(Request("next", "ann", NOW_MS, resource("EdgeWorkload", "default", "web", 1)), 2, 0).outcome


def test_what_is_decided_is_never_decided_again() -> None:
    """A caller that gives a place twice has lost its own."""
    decider = new_decider()
    request = Request("a", "ann", NOW_MS, resource("EdgeWorkload", "default", "web", 1))
    decider.decide(request, 5, 0)
    with pytest.raises(ValueError, match="decided already"):
        decider.decide(request, 5, 0)
