"""What each device should run, assembled when it is first asked for after a change and then ready as bytes.

Nothing is invalidated: an entry carries the stamp of what it was made from (the namespace's generation, the device's
and its identity's revision), so a shared change costs nothing until devices ask. Equal contents are held once. What
cannot be assembled is logged once and told to the operator, and the device keeps what it runs.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import msgspec
import structlog

from api.desired_state.fleet_view import FleetView
from fleet.configuration import (
    Configuration,
    ConfigurationError,
    References,
    WorkloadIndex,
    assemble,
    configure,
    sections_of,
)
from fleet.configuration.explanation import Explained, ExplainedField, explain
from fleet.decisions.commands import JSONObject, ReportConfiguration, ResourceKey
from fleet.decisions.state import FleetState
from fleet.devices.labels import device_set_name, effective_labels
from fleet.devices.states import DeviceIdentity
from fleet.errors import MusterError, UnavailableError
from fleet.resources.device import EdgeDeviceSetSpec
from fleet.sealing import KeyRing, is_sealed

_NAMESPACES_LIMIT: Final = 1000
"""Namespaces whose workloads are held compiled; the one asked for least recently goes first."""

_PROBLEM_LIMIT: Final = 1000
"""Characters of what is told of a problem."""

_decode = msgspec.json.decode

Stamp = tuple[int, int, int]

_log = structlog.get_logger(__name__)


class _Entry(NamedTuple):
    """What came of assembling at a stamp: a version, or why there is none."""

    state: FleetState
    stamp: Stamp
    version: str
    failure: str
    left_out: str

    @property
    def problem(self) -> str:
        """What an operator must supply; empty when nothing is missing."""
        return self.failure or self.left_out


class _Shared(NamedTuple):
    """What all devices of a namespace are assembled from."""

    state: FleetState
    generation: int
    workloads: WorkloadIndex
    references: References


class Configurations:
    """The configurations of one process. At most `devices_limit` devices' are remembered."""

    def __init__(
        self,
        view: FleetView,
        keys: KeyRing,
        installation_key: bytes,
        devices_limit: int,
        *,
        on_failure: Callable[[], None],
        report: Callable[[ReportConfiguration], None],
    ) -> None:
        self._view = view
        self._keys = keys
        self._installation_key = installation_key
        self._devices_limit = devices_limit
        self._on_failure = on_failure
        self._report = report
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._contents: dict[str, tuple[Configuration, int]] = {}
        self._shared: OrderedDict[str, _Shared] = OrderedDict()

    def response(self, identity: DeviceIdentity) -> bytes:
        """The body of the answer to a configuration read. Raises UnavailableError when it cannot be assembled."""
        entry = self._known(identity) or self._assemble(identity)
        if entry.problem != identity.configuration_problem:
            revision = entry.state.revision
            self._report(
                ReportConfiguration(identity.device_id, identity.namespace, entry.problem, not entry.failure, revision)
            )
        if entry.failure:
            raise UnavailableError(f"the configuration cannot be assembled: {entry.failure}")
        return self._contents[entry.version][0].body(identity.device_id)

    def known_version(self, identity: DeviceIdentity) -> str | None:
        """The version wanted for the device if it is assembled already."""
        entry = self._known(identity)
        return entry.version or None if entry else None

    def wanted_version(self, identity: DeviceIdentity) -> str | None:
        """The version wanted for the device, assembled now if need be; None when it cannot be."""
        return (self._known(identity) or self._assemble(identity)).version or None

    def selected_workloads(self, device: JSONObject, hardware_labels: Mapping[str, str]) -> list[str]:
        """Names of the workloads that a device (its body as stored) is to run."""
        metadata = device["metadata"]
        shared = self._shared_of(self._view.state, metadata["namespace"])
        labels = effective_labels(metadata.get("labels") or {}, hardware_labels)
        return [workload.name for workload in shared.workloads.select(metadata["name"], labels)]

    def explanation(self, identity: DeviceIdentity) -> list[ExplainedField]:
        """Where each field comes from. Raises MusterError when the configuration cannot be assembled."""
        state = self._view.state
        content = _decode(self._configuration(state, identity).content)
        device, labels, device_set = self._device(state, identity)
        shared = self._shared_of(state, identity.namespace)
        own = sections_of(device, None)
        explained = Explained(
            device,
            device_set,
            identity.hardware_labels,
            content,
            # What the device's own sections lack is no matter where its set's replace them.
            self._own_content(own, shared.references) if device_set else {},
            [] if identity.answers.is_stripped else shared.workloads.select(identity.device_id, labels),
        )
        return explain(state, explained)

    def _own_content(self, sections: EdgeDeviceSetSpec, references: References) -> JSONObject:
        try:
            content: JSONObject = _decode(configure(sections, [], references, self._installation_key).content)
        except ConfigurationError:
            return {}
        configuration: JSONObject = content["configuration"]
        return configuration

    def _device(
        self, state: FleetState, identity: DeviceIdentity
    ) -> tuple[JSONObject, Mapping[str, str], JSONObject | None]:
        """A device's body, its effective labels and its set's body."""
        namespace, device_id = identity.namespace, identity.device_id
        held = state.get(ResourceKey("EdgeDevice", namespace, device_id))
        device: JSONObject = held.body if held else {"metadata": {"namespace": namespace, "name": device_id}}
        labels = effective_labels(device["metadata"].get("labels") or {}, identity.hardware_labels)
        set_name = device_set_name(labels)
        device_set = state.get(ResourceKey("EdgeDeviceSet", namespace, set_name)) if set_name else None
        return device, labels, device_set.body if device_set else None

    def _known(self, identity: DeviceIdentity) -> _Entry | None:
        entry = self._entries.get(identity.device_id)
        state = self._view.state
        # Stamps of different states do not compare: each counts its own generations.
        if entry is None or entry.state is not state:
            return None
        if entry.stamp != state.configuration_stamp(identity.namespace, identity.device_id):
            return None
        self._entries.move_to_end(identity.device_id)
        return entry

    def _assemble(self, identity: DeviceIdentity) -> _Entry:
        state = self._view.state
        stamp = state.configuration_stamp(identity.namespace, identity.device_id)
        try:
            configuration = self._configuration(state, identity)
            failure = ""
        except (MusterError, msgspec.ValidationError) as error:
            configuration = None
            failure = str(error)[:_PROBLEM_LIMIT]
            self._tell(identity, error, stamp)
        left_out = "; ".join(problem.message for problem in configuration.problems) if configuration else ""
        version = configuration.version if configuration else ""
        entry = _Entry(state, stamp, version, failure, left_out[:_PROBLEM_LIMIT])
        self._remember(identity.device_id, entry, configuration)
        return entry

    def _configuration(self, state: FleetState, identity: DeviceIdentity) -> Configuration:
        device, labels, device_set = self._device(state, identity)
        shared = self._shared_of(state, identity.namespace)
        return assemble(
            device,
            labels,
            device_set,
            shared.workloads,
            shared.references,
            is_deleting=identity.answers.is_stripped,
            installation_key=self._installation_key,
        )

    def _shared_of(self, state: FleetState, namespace: str) -> _Shared:
        generation = state.generation(namespace)
        shared = self._shared.get(namespace)
        if shared is None or shared.state is not state or shared.generation != generation:
            workloads = (held.body for held in state.resources("EdgeWorkload", namespace).values())
            shared = _Shared(state, generation, WorkloadIndex(namespace, workloads), self._references(state, namespace))
            self._shared[namespace] = shared
            if len(self._shared) > _NAMESPACES_LIMIT:
                self._shared.popitem(last=False)
        self._shared.move_to_end(namespace)
        return shared

    def _references(self, state: FleetState, namespace: str) -> References:
        opened: dict[str, JSONObject] = {}

        def secret(name: str) -> JSONObject | None:
            held = state.get(ResourceKey("Secret", namespace, name))
            if held is None:
                return None
            if name not in opened:
                opened[name] = self._keys.open(held.body) if is_sealed(held.body) else held.body
            return opened[name]

        def config_map(name: str) -> JSONObject | None:
            held = state.get(ResourceKey("ConfigMap", namespace, name))
            return held.body if held else None

        return References(namespace, secret, config_map)

    def _remember(self, device_id: str, entry: _Entry, configuration: Configuration | None) -> None:
        self._release(self._entries.pop(device_id, None))
        self._entries[device_id] = entry
        if configuration:
            held, users = self._contents.get(entry.version, (configuration, 0))
            self._contents[entry.version] = (held, users + 1)
        if len(self._entries) > self._devices_limit:
            self._release(self._entries.popitem(last=False)[1])

    def _release(self, entry: _Entry | None) -> None:
        if entry is None or not entry.version:
            return
        configuration, users = self._contents[entry.version]
        if users == 1:
            del self._contents[entry.version]
        else:
            self._contents[entry.version] = (configuration, users - 1)

    def _tell(self, identity: DeviceIdentity, error: Exception, stamp: Stamp) -> None:
        before = self._entries.get(identity.device_id)
        if before is not None and before.failure == str(error)[:_PROBLEM_LIMIT]:
            return
        self._on_failure()
        resource, key = (error.resource, error.key) if isinstance(error, ConfigurationError) else (None, "")
        _log.warning(
            "configuration not assembled",
            namespace=identity.namespace,
            device=identity.device_id,
            resource=str(resource) if resource else "",
            key=key,
            revision=max(stamp[1:]),
            reason=str(error),
        )
