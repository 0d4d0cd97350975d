"""What the devices of one namespace are assembled from at one generation, and the groups of those that are alike.

Hostname and serial number are labels, so whole label sets never coincide; but of a device's labels only those count
that some selector asks for. Devices with the same own spec, set and values of these form a group and share its body.
When the generation changes and selectors still ask for the same labels, a device's next group follows from its last
one, without another look at the device.
"""

from collections.abc import Mapping, MutableMapping
from typing import NamedTuple

import msgspec

from fleet.configuration import Configuration, ConfigurationError, References, Workload, WorkloadIndex, configure
from fleet.decisions.commands import JSONObject, ResourceKey
from fleet.decisions.state import FleetState
from fleet.devices.labels import device_set_name, effective_labels
from fleet.devices.states import DeviceIdentity
from fleet.errors import MusterError
from fleet.resources.device import EdgeDeviceSetSpec

PROBLEM_LIMIT = 1000
"""Characters of what is told of a problem."""

_BEFORE = b'{"device-configuration":{"device_id":'

_encode = msgspec.json.Encoder().encode


class GroupKey(NamedTuple):
    """What devices of a namespace have in common that are configured alike, as long as the same counts.

    `spec` is the device's own, as JSON; `set_name` is that of the set it names, which need not exist; `named` is the
    device's id where a workload names it; `labels` are the values of the labels that count, in their order. Of a
    settled device nothing is to be told or asked beside its configuration.
    """

    spec: bytes
    set_name: str
    is_stripped: bool
    named: str
    labels: tuple[str | None, ...]
    is_settled: bool = False


class Body:
    """The ready answer but for the device's id; equal ones are held once."""

    __slots__ = ("__weakref__", "_after", "version")

    def __init__(self, configuration: Configuration) -> None:
        self.version = configuration.version
        self._after = configuration.body("").removeprefix(_BEFORE + b'""')

    def for_device(self, device_id: str) -> bytes:
        """The whole answer for one device, whose id is a Kubernetes name and so needs no escapes."""
        return b'%b"%b"%b' % (_BEFORE, device_id.encode(), self._after)


class Result:
    """What came of assembling: a body, or why there is none (`failure`); and what was left out of it.

    `missing` names the resource that is missing and its key, where that is why.
    """

    __slots__ = ("body", "failure", "is_forgotten", "is_told", "left_out", "missing")

    def __init__(
        self, body: Body | None, failure: str = "", left_out: str = "", missing: tuple[str, str] = ("", "")
    ) -> None:
        self.body = body
        self.failure = failure
        self.left_out = left_out
        self.missing = missing
        self.is_told = False
        self.is_forgotten = False

    def forget(self) -> None:
        """Let go of the body, though devices that were not heard of since may be noted to have it."""
        self.body = None
        self.is_forgotten = True

    @property
    def problem(self) -> str:
        """What an operator must supply; empty when nothing is missing."""
        return self.failure or self.left_out


class Group(NamedTuple):
    """Devices that are configured alike at a generation of their namespace."""

    namespace: str
    generation: int
    counting: tuple[str, ...]
    key: GroupKey
    result: Result


class Groups:
    """The groups of a namespace, at one generation of one state, and what they are assembled from.

    `before` are those of the generation before, whose results hold where nothing of theirs has changed. At most `limit`
    bodies are held: beyond that the oldest are made again when they are asked for.
    """

    state: FleetState
    counting: tuple[str, ...]
    revisions: dict[str, int]
    results: dict[object, Result]

    def __init__(
        self,
        state: FleetState,
        namespace: str,
        before: "Groups | None",
        *,
        references: References,
        bodies: MutableMapping[str, Body],
        installation_key: bytes,
        limit: int,
    ) -> None:
        if before is not None and before.state is not state:
            before = None
        self.state = state
        self.namespace = namespace
        self.generation = state.generation(namespace)
        self.references = references
        self._references_generation = state.references_generation(namespace)
        self.workloads, self.revisions = _workloads(state, namespace, before)
        self._sets = state.resources("EdgeDeviceSet", namespace)
        labels = self.workloads.labels
        # The labels that count: while they stay the same, so does the tuple itself.
        self.counting = before.counting if before is not None and before.counting == labels else labels
        self._bodies = bodies
        self._installation_key = installation_key
        self._limit = limit
        self._groups: dict[GroupKey, Group] = {}
        self.results = {}
        self._former = before.take_results() if before is not None else {}

    def take_results(self) -> dict[object, Result]:
        """The results of this generation, for the next one; those of the one before it that were not asked for go."""
        for made_of, result in self._former.items():
            if made_of not in self.results:
                result.forget()
        self._former = {}
        return self.results

    def key_of(self, identity: DeviceIdentity) -> GroupKey:
        """What counts of a device, not known to be settled."""
        device, labels = self.device(identity)
        return GroupKey(
            _encode(device.get("spec") or {}),
            device_set_name(labels) or "",
            identity.answers.is_stripped,
            self.named(identity.device_id),
            tuple([labels.get(label) for label in self.counting]),
        )

    def named(self, device_id: str) -> str:
        """The device's id if a workload names it."""
        return device_id if device_id in self.workloads.named else ""

    def group(self, key: GroupKey) -> Group:
        """The group of a key; made, and its body assembled, when it is first asked for."""
        group = self._groups.get(key)
        if group is None or group.result.is_forgotten:
            group = Group(self.namespace, self.generation, self.counting, key, self._result(key))
            self._groups[key] = group
            if len(self._groups) > self._limit:
                del self._groups[next(iter(self._groups))]
        return group

    def selected(self, key: GroupKey) -> list[Workload]:
        """The workloads that the devices of a group run, by name."""
        if key.is_stripped:
            return []
        values = zip(self.counting, key.labels, strict=True)
        return self.workloads.select(key.named, {label: value for label, value in values if value is not None})

    def device(self, identity: DeviceIdentity) -> tuple[JSONObject, Mapping[str, str]]:
        """A device's body and its effective labels."""
        namespace, device_id = identity.namespace, identity.device_id
        held = self.state.get(ResourceKey("EdgeDevice", namespace, device_id))
        device: JSONObject = held.body if held else {"metadata": {"namespace": namespace, "name": device_id}}
        return device, effective_labels(device["metadata"].get("labels") or {}, identity.hardware_labels)

    def _result(self, key: GroupKey) -> Result:
        selected = self.selected(key)
        device_set = self._sets.get(key.set_name)
        made_of = (
            key.spec if device_set is None else (key.set_name, device_set.revision),
            tuple([(workload.name, self.revisions[workload.name]) for workload in selected]),
            self._references_generation,
        )
        result = self.results.get(made_of)
        if result is None:
            spec = msgspec.json.decode(key.spec) if device_set is None else device_set.body.get("spec") or {}
            former = self._former.get(made_of)
            result = self.results[made_of] = self._assemble(spec, selected) if former is None else former
            if len(self.results) > self._limit:
                self.results.pop(next(iter(self.results))).forget()
        return result

    def _assemble(self, spec: JSONObject, selected: list[Workload]) -> Result:
        try:
            sections = msgspec.convert(spec, EdgeDeviceSetSpec)
            configuration = configure(sections, selected, self.references, self._installation_key)
        except (MusterError, msgspec.ValidationError) as error:
            missing = (str(error.resource), error.key) if isinstance(error, ConfigurationError) else ("", "")
            return Result(None, str(error)[:PROBLEM_LIMIT], missing=missing)
        left_out = "; ".join(problem.message for problem in configuration.problems)[:PROBLEM_LIMIT]
        body = self._bodies.get(configuration.version)
        if body is None:
            body = self._bodies[configuration.version] = Body(configuration)
        return Result(body, left_out=left_out)


def _workloads(state: FleetState, namespace: str, before: Groups | None) -> tuple[WorkloadIndex, dict[str, int]]:
    """The workloads of a namespace and their revisions; what did not change is not compiled again."""
    held = state.resources("EdgeWorkload", namespace)
    compiled = {}
    if before is not None:
        revisions = before.revisions
        compiled = {
            name: workload
            for name, workload in before.workloads.by_name.items()
            if (each := held.get(name)) is not None and each.revision == revisions[name]
        }
    bodies = [each.body for name, each in held.items() if name not in compiled]
    return WorkloadIndex(namespace, bodies, compiled), {name: each.revision for name, each in held.items()}
