"""Which devices of a namespace would get another configuration, and which.

A device is assembled before and after only if something that is planned can concern it: a workload that selects it,
its set, its own resource, a Secret or ConfigMap that its workloads or sections mention. Equal recipes are assembled
once, so that a fleet costs a look at each device's labels.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from fleet.configuration import Workload
from fleet.decisions.commands import ResourceKey
from fleet.decisions.planned_state import Changed
from fleet.decisions.signed_request import DEVICE_KIND
from fleet.devices.labels import device_set_name
from fleet.preview.device_facts import Facts, facts_of
from fleet.preview.missing import MissingPart, missing_parts
from fleet.preview.side import REMEMBERED, Recipe, Side
from fleet.preview.tally import Kept, Tally

_REFERRED_TO: Final = frozenset({"Secret", "ConfigMap"})


Workloads = list[Workload]


class NamespaceEffects:
    """The effects in one namespace, where `changed` are the resources that differ and `own` the devices that do."""

    def __init__(self, before: Side, after: Side, changed: Iterable[Changed], own: set[str], tally: Tally) -> None:
        self._before = before
        self._after = after
        self._changed = list(changed)
        self._own = own
        self._tally = tally
        self._touched = _Touched(before, after, self._changed)
        self._missing: dict[Recipe, list[MissingPart]] = {}

    def count(self) -> Iterator[None]:
        """Go over the devices; yields after each step."""
        yield from self._before.compile()
        yield from self._after.compile()
        yield from self._touched.find()
        everybody = self._before.state.resources(DEVICE_KIND, self._before.namespace)
        new = [device_id for device_id in self._own if device_id not in everybody]
        for device_id in [*everybody, *new] if self._touched.is_any else list(self._own):
            self._count(device_id)
            yield
        for part in self._unselected():
            self._tally.note_missing(missing_parts(self._after, part), 0)
            yield

    def _count(self, device_id: str) -> None:
        before = facts_of(self._before.state, self._before.namespace, device_id)
        after = facts_of(self._after.state, self._after.namespace, device_id) if device_id in self._own else before
        tally = self._tally
        tally.devices.looked_at += before.identity is not None
        tally.reads.reselected += before.identity is not None and self._touched.is_any
        if device_id not in self._own and not self._touched.concerns(device_id, before):
            return
        if after.identity is None:
            tally.devices.removed += before.identity is not None
            tally.devices.not_registered += before.identity is None
            return
        was = self._before.recipe(before.identity, before.labels, before.spec) if before.identity else None
        is_ = self._after.recipe(after.identity, after.labels, after.spec)
        one, other = self._before.assembled(was) if was else None, self._after.assembled(is_)
        if other.problem or other.leaves_out:
            tally.note_missing(self._missing_of(is_))
        if one and one.version and one.version == other.version:
            return
        tally.note_change(one, other, after.labels, len(device_id))
        key = (self._after.namespace, one.version or one.problem if one else "", other.version, other.problem)
        tally.group(key, Kept(self._after.namespace, device_id, was, is_), after.labels)

    def _missing_of(self, recipe: Recipe) -> list[MissingPart]:
        if len(self._missing) >= REMEMBERED:
            self._missing.clear()
        if recipe not in self._missing:
            self._missing[recipe] = missing_parts(self._after, recipe)
        return self._missing[recipe]

    def _unselected(self) -> Iterator[Recipe]:
        """Of each workload and set that is planned, by itself: it may wait for devices that are yet to come."""
        for each in self._changed:
            if each.after is None:
                continue
            if each.key.kind == "EdgeWorkload":
                yield Recipe(("", b"{}"), (self._after.workloads[each.key.name],))
            elif each.key.kind == "EdgeDeviceSet":
                yield Recipe((each.key.name, b""), ())


class _Touched:
    """What a device must have to do with so that anything can change for it."""

    def __init__(self, before: Side, after: Side, changed: list[Changed]) -> None:
        self._sides = (before, after)
        self._changed = changed
        self._mentioned: list[bytes] = []
        self._sets: set[str] = set()
        self._devices: set[str] = set()
        self._selecting: Workloads = []
        self._keys: tuple[str, ...] = ()
        self._remembered: dict[tuple[str | None, ...], bool] = {}

    @property
    def is_any(self) -> bool:
        """Whether devices can be concerned that are not planned to change themselves."""
        return bool(self._mentioned or self._sets or self._devices or self._selecting)

    def find(self) -> Iterator[None]:
        """Look for it; yields after each resource."""
        self._mentioned = [f'"{each.key.name}"'.encode() for each in self._changed if each.key.kind in _REFERRED_TO]
        self._sets = {each.key.name for each in self._changed if each.key.kind == "EdgeDeviceSet"}
        changed = {each.key.name for each in self._changed if each.key.kind == "EdgeWorkload"}
        for side in self._sides:
            for name, workload in side.workloads.items():
                if name in changed or self._mentions(side, "EdgeWorkload", name):
                    if workload.device:
                        self._devices.add(workload.device)
                    else:
                        self._selecting.append(workload)
                yield
            for name in side.state.resources("EdgeDeviceSet", side.namespace) if self._mentioned else ():
                if self._mentions(side, "EdgeDeviceSet", name):
                    self._sets.add(name)
                yield
        self._keys = tuple(sorted({key for workload in self._selecting for key in workload.label_keys}))

    def concerns(self, device_id: str, facts: Facts) -> bool:
        """Whether anything of it concerns a device that is not planned to change itself."""
        if device_id in self._devices or device_set_name(facts.labels) in self._sets:
            return True
        if self._mentioned and self._is_mentioned(facts.spec):
            return True
        asked = tuple([facts.labels.get(key) for key in self._keys])
        found = self._remembered.get(asked)
        if found is None:
            found = any(workload.applies_to(device_id, facts.labels) for workload in self._selecting)
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[asked] = found
        return found

    def _mentions(self, side: Side, kind: str, name: str) -> bool:
        held = side.state.get(ResourceKey(kind, side.namespace, name)) if self._mentioned else None
        return held is not None and self._is_mentioned(held.json)

    def _is_mentioned(self, text: bytes) -> bool:
        """Whether a text may refer to a Secret or ConfigMap that is planned: too often rather than not."""
        return any(name in text for name in self._mentioned)
