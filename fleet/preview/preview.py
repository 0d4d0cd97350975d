"""What would become of the fleet if documents were applied and resources deleted: a function of the state and of them.

It goes over every device of the namespaces concerned, which takes seconds for a large fleet; so it is a generator
that yields every few microseconds, and whoever drives it decides how long others wait. The state may change meanwhile:
what is told holds as of when it was looked at.
"""

from collections.abc import Generator, Iterator
from typing import Any, Final, NamedTuple

from fleet.decisions.planned_state import Changed, PlannedState
from fleet.decisions.state import FleetState
from fleet.errors import MusterError
from fleet.preview.difference import difference
from fleet.preview.effects import NamespaceEffects
from fleet.preview.planning import Deletion, Rules, plan_all
from fleet.preview.playbooks import MATTER_TO_PLAYBOOKS, count_playbooks
from fleet.preview.result import Group, Preview
from fleet.preview.side import Recipe, Side
from fleet.preview.tally import Kept, Tally

_SETS_SHOWN: Final = 50
_MATTER_TO_DEVICES: Final = frozenset({"EdgeDevice", "EdgeDeviceSet", "EdgeWorkload", "Secret", "ConfigMap"})


class Asked(NamedTuple):
    """What would be applied, and what deleted after it."""

    documents: list[Any]
    deletions: list[Deletion]


def preview(state: FleetState, asked: Asked, rules: Rules, installation_key: bytes) -> Generator[None, None, Preview]:
    """Plan, then count; yields often."""
    planned = PlannedState(state)
    outcome = yield from plan_all(planned, asked.documents, asked.deletions, rules)
    tally = Tally()
    if outcome.refused:
        return Preview(
            str(state.revision), outcome.resources, tally.devices, tally.reads,
            refusals=outcome.refusals, refused=outcome.refused,
        )  # fmt: skip
    sides: dict[str, tuple[Side, Side]] = {}
    for namespace, changed, own in _concerned(planned):
        before, after = (Side(each, namespace, rules.opened, installation_key) for each in (state, planned))
        sides[namespace] = (before, after)
        yield from NamespaceEffects(before, after, changed, own, tally).count()
        yield from count_playbooks(state, planned, namespace, changed, own=own, devices=tally.devices)
    groups = []
    for kept in tally.largest_groups():
        groups.append(_shown(kept, *sides[kept.namespace]))
        yield
    return Preview(
        revision=str(state.revision),
        resources=outcome.resources,
        devices=tally.devices,
        reads=tally.reads,
        sets=dict(tally.sets.most_common(_SETS_SHOWN)),
        labels=tally.label_counts(),
        missing=tally.missing(),
        groups=groups,
        further_groups=tally.further_groups,
    )


def _concerned(planned: PlannedState) -> Iterator[tuple[str, list[Changed], set[str]]]:
    """Each namespace with what is planned there, and the devices that are planned to change themselves."""
    changed: dict[str, list[Changed]] = {}
    own: dict[str, set[str]] = {}
    for each in planned.changed():
        if each.key.kind in _MATTER_TO_DEVICES | MATTER_TO_PLAYBOOKS:
            changed.setdefault(each.key.namespace, []).append(each)
            if each.key.kind == "EdgeDevice":
                own.setdefault(each.key.namespace, set()).add(each.key.name)
    for device_id in planned.changed_identities():
        for identity in (planned.base.identities.get(device_id), planned.identities.get(device_id)):
            if identity is not None:
                own.setdefault(identity.namespace, set()).add(device_id)
    for namespace in sorted(changed.keys() | own.keys()):
        yield namespace, changed.get(namespace, []), own.get(namespace, set())


def _shown(kept: Kept, before: Side, after: Side) -> Group:
    """A group with the difference for one of its devices."""
    was, is_ = (_content(side, recipe) for side, recipe in ((before, kept.before), (after, kept.after)))
    one = before.assembled(kept.before) if kept.before else None
    other = after.assembled(kept.after) if kept.after else None
    return Group(
        devices=kept.devices,
        example=kept.example,
        sets=dict(kept.sets.most_common(_SETS_SHOWN)),
        version_before=one.version if one else "",
        version=other.version if other else "",
        problem=other.problem if other else "",
        diff=difference(was, is_) if other and other.version else "",
    )


def _content(side: Side, recipe: Recipe | None) -> bytes:
    try:
        return side.configuration(recipe).content if recipe else b"{}"
    except MusterError:
        return b"{}"
