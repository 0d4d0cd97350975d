"""One namespace as it is, or as it would be: which workloads a device runs there, and what it would be told.

Selecting is remembered by the values of the labels that selectors ask for, so that a hundred thousand devices cost a
hundred thousand looks into a table and few evaluations.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from fleet.configuration import Configuration, References, Workload, WorkloadIndex, configure, sections_of
from fleet.decisions.commands import JSONObject, ResourceKey
from fleet.decisions.state import FleetState
from fleet.devices.labels import device_set_name
from fleet.devices.states import DeviceIdentity
from fleet.errors import MusterError
from fleet.resources.device import EdgeDeviceSetSpec

REMEMBERED: Final = 50_000
"""Selections and assembled configurations remembered of a side; beyond, they are found anew."""

Sections = tuple[str, bytes]
"""Where a device's sections come from: (name of its set, b"") or ("", its own spec as JSON)."""

Labels = dict[str, str]


class Recipe(NamedTuple):
    """What a device's configuration is made of; devices with equal recipes get equal contents."""

    sections: Sections
    selected: tuple[Workload, ...]


class Assembled(NamedTuple):
    """What came of a recipe. Without a `version` there is a `problem`; `size_bytes` is without the device's id."""

    version: str
    size_bytes: int
    problem: str
    leaves_out: bool


class Side:
    """One namespace of a state. `opened` opens a stored Secret."""

    def __init__(
        self, state: FleetState, namespace: str, opened: Callable[[JSONObject], JSONObject], installation_key: bytes
    ) -> None:
        self.state = state
        self.namespace = namespace
        self._opened = opened
        self._installation_key = installation_key
        self._secrets: dict[str, JSONObject] = {}
        self.references = References(namespace, self.secret, self.config_map)
        self.workloads: dict[str, Workload] = {}
        self._index = WorkloadIndex(namespace, ())
        self._selections: dict[tuple[str | None, ...], tuple[Workload, ...]] = {}
        self._assembled: dict[Recipe, Assembled] = {}

    def compile(self) -> Iterator[None]:
        """Read the workloads; yields after each."""
        for name, held in sorted(self.state.resources("EdgeWorkload", self.namespace).items()):
            self.workloads[name] = Workload(held.body)
            yield
        self._index = WorkloadIndex(self.namespace, (), self.workloads)

    def recipe(self, identity: DeviceIdentity, labels: Labels, spec: bytes) -> Recipe:
        """Of a device with these effective labels."""
        selected = () if identity.answers.is_stripped else self._select(identity.device_id, labels)
        set_name = device_set_name(labels)
        if set_name and self.state.get(ResourceKey("EdgeDeviceSet", self.namespace, set_name)):
            return Recipe((set_name, b""), selected)
        return Recipe(("", spec), selected)

    def assembled(self, recipe: Recipe) -> Assembled:
        """What the recipe gives."""
        found = self._assembled.get(recipe)
        if found is None:
            try:
                configuration = self.configuration(recipe)
                leaves_out = bool(configuration.problems)
                found = Assembled(configuration.version, len(configuration.body("")), "", leaves_out)
            except (MusterError, msgspec.ValidationError) as error:
                found = Assembled("", 0, str(error), leaves_out=False)
            if len(self._assembled) >= REMEMBERED:
                self._assembled.clear()
            self._assembled[recipe] = found
        return found

    def configuration(self, recipe: Recipe, references: References | None = None) -> Configuration:
        """The configuration itself. Raises MusterError."""
        references = references or self.references
        return configure(self._sections(recipe.sections), list(recipe.selected), references, self._installation_key)

    def secret(self, name: str) -> JSONObject | None:
        """A Secret, opened."""
        held = self.state.get(ResourceKey("Secret", self.namespace, name))
        if held is None:
            return None
        if name not in self._secrets:
            self._secrets[name] = self._opened(held.body)
        return self._secrets[name]

    def config_map(self, name: str) -> JSONObject | None:
        """A ConfigMap."""
        held = self.state.get(ResourceKey("ConfigMap", self.namespace, name))
        return held.body if held else None

    def _select(self, device_id: str, labels: Labels) -> tuple[Workload, ...]:
        named = device_id if device_id in self._index.named else None
        asked = (named, *[labels.get(key) for key in self._index.labels])
        selected = self._selections.get(asked)
        if selected is None:
            selected = tuple(self._index.select(device_id, labels))
            if len(self._selections) >= REMEMBERED:
                self._selections.clear()
            self._selections[asked] = selected
        return selected

    def _sections(self, sections: Sections) -> EdgeDeviceSetSpec:
        set_name, spec = sections
        if not set_name:
            return sections_of({"spec": msgspec.json.decode(spec)}, None)
        held = self.state.get(ResourceKey("EdgeDeviceSet", self.namespace, set_name))
        return sections_of({}, held.body if held else None)
