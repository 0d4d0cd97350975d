"""A preview tells what applying then does: compared, for many fleets and changes, with assembling every device."""

from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from fleet.decisions.commands import DeleteResource, JSONObject, PutResource, Request, ResourceKey
from fleet.decisions.decide import decide
from fleet.devices.states import DeviceState
from fleet.preview.planning import Deletion
from fleet.resources import KINDS, Kind, validate
from fleet.resources.change_plan import plan_change
from fleet.resources.merge_patch import merge_patch
from tests.fleet.preview.plant import NAMESPACE, RULES, Plant, device_set, document, opened, sealed, secret, workload

names = st.sampled_from(["a", "b", "c"])
labels = st.dictionaries(st.sampled_from(["x", "y", "flotta/member-of"]), names, max_size=3)
selectors = st.one_of(
    st.none(),
    st.fixed_dictionaries({"matchLabels": st.dictionaries(st.sampled_from(["x", "y"]), names, max_size=2)}),
    st.fixed_dictionaries(
        {
            "matchExpressions": st.lists(
                st.one_of(
                    st.fixed_dictionaries(
                        {
                            "key": st.sampled_from(["x", "y"]),
                            "operator": st.sampled_from(["In", "NotIn"]),
                            "values": st.lists(names, min_size=1, max_size=2),
                        }
                    ),
                    st.fixed_dictionaries(
                        {
                            "key": st.sampled_from(["x", "y"]),
                            "operator": st.sampled_from(["Exists", "DoesNotExist"]),
                        }
                    ),
                ),
                max_size=2,
            )
        }
    ),
)
workloads = st.builds(
    workload,
    names,
    selectors,
    image=st.sampled_from(["one", "two"]),
    secret=st.sampled_from(["", "a", "b"]),
    device=st.sampled_from(["", "", "d0", "d1"]),
)
periods = st.sampled_from([10, 20])
own_specs = st.one_of(st.just({}), periods.map(lambda period: {"heartbeat": {"periodSeconds": period}}))
shared = st.one_of(
    workloads,
    st.builds(device_set, names, periods),
    st.builds(secret, st.sampled_from(["a", "b"]), st.sampled_from(["v1", "v2"])),
)
devices = st.lists(
    st.tuples(
        labels,
        st.sampled_from([DeviceState.REGISTERED, DeviceState.REGISTERED, DeviceState.DELETING, DeviceState.APPROVED]),
        own_specs,
    ),
    max_size=6,
)
relabelled = st.builds(
    lambda number, labels, spec: document("EdgeDevice", f"d{number}", {"spec": spec}, labels=labels),
    st.integers(0, 5),
    labels,
    own_specs,
)
deletions = st.builds(
    lambda kind, name: Deletion(kind, NAMESPACE, name),
    st.sampled_from(["EdgeWorkload", "EdgeDeviceSet", "Secret", "EdgeDevice"]),
    st.sampled_from(["a", "b", "c", "d0", "d1"]),
)


def key_of(body: JSONObject) -> ResourceKey:
    """Of a document here."""
    return ResourceKey(body["kind"], NAMESPACE, body["metadata"]["name"])


class Written(NamedTuple):
    """A document as it is applied."""

    kind: Kind
    body: JSONObject


def carry_out(plant: Plant, documents: list[JSONObject], deleted: list[Deletion]) -> None:
    """Do for real what was previewed."""
    order = list(KINDS)
    commands: list[Any] = []
    for each in sorted(documents, key=lambda each: order.index(each["kind"])):
        live = plant.state.get(key_of(each))
        shown = opened(live.body) if live else None
        plan = plan_change(Written(KINDS[each["kind"]], each), shown)
        whole = plan.body if shown is None else merge_patch(shown, plan.body)
        body = validate(KINDS[each["kind"]], whole, namespace=NAMESPACE, warn_of_server_fields=False).body
        commands.append(PutResource(key_of(each), sealed(body) if each["kind"] == "Secret" else body, "upsert", "u"))
    commands += [DeleteResource(ResourceKey(each.kind, each.namespace, each.name)) for each in deleted]
    for command in commands:
        plant.revision += 1
        outcome = decide(plant.state, Request("", "", RULES.now_ms, command), plant.revision, RULES.limits)
        assert outcome.result in ("accepted", "unchanged"), outcome
        plant.state.apply_outcome(outcome)


@given(
    st.lists(shared, max_size=8),
    devices,
    st.lists(st.one_of(shared, relabelled), max_size=4, unique_by=key_of),
    st.lists(deletions, max_size=2, unique=True),
)
def test_a_preview_counts_the_devices_that_applying_changes(
    stored: list[JSONObject],
    fleet: list[tuple[dict[str, str], DeviceState, JSONObject]],
    documents: list[JSONObject],
    deleted: list[Deletion],
) -> None:
    """Changed, failing and removed ones, whatever changes, and nothing is stored by it."""
    plant = Plant()
    for body in stored:
        plant.store(validate(KINDS[body["kind"]], body, namespace=NAMESPACE).body)
    for number, (given_labels, state, spec) in enumerate(fleet):
        plant.device(f"d{number}", given_labels, state=state, spec=spec)
    known = {key_of(each) for each in documents}
    possible = [
        each
        for each in deleted
        if (key := ResourceKey(each.kind, NAMESPACE, each.name)) in known or plant.state.get(key)
    ]
    before = plant.versions()
    told = plant.preview(*documents, deletions=tuple(possible))
    assert told.refusals == []
    assert plant.versions() == before
    carry_out(plant, documents, possible)
    after = plant.versions()
    changed = [device for device, version in after.items() if version and version != before.get(device)]
    assert told.devices.changed == len(changed) == sum(group.devices for group in told.groups if group.version)
    assert told.devices.removed == len(before.keys() - after.keys())
    newly_failing = {device for device, version in after.items() if not version and before.get(device)}
    failing = {device for device, version in after.items() if not version}
    assert len(newly_failing) <= told.devices.failing <= len(failing)
    assert told.reads.contents == len({after[device] for device in changed})
    assert sum(told.sets.values()) == told.devices.changed + told.devices.failing
