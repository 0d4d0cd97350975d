"""What each device should run, assembled when it is first asked for after a change and then ready as bytes.

Nothing is invalidated: a device is found in a group of devices that are configured alike, which is noted of it until
it changes itself, and the group says at which generation of its namespace it was made. So a shared change costs nothing
until devices ask, and then one look for each group. What cannot be assembled is logged once and told to the operator,
and the device keeps what it runs.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final
from weakref import WeakValueDictionary

import msgspec
import structlog

from api.desired_state.fleet_view import FleetView
from api.devices.configuration_groups import Body, Group, Groups, Result
from fleet.configuration import ConfigurationError, References, configure, sections_of
from fleet.configuration.explanation import Explained, ExplainedField, explain
from fleet.decisions.commands import JSONObject, ReportConfiguration, ResourceKey
from fleet.decisions.state import FleetState
from fleet.devices.labels import device_set_name, effective_labels
from fleet.devices.states import DeviceIdentity, DeviceState
from fleet.errors import UnavailableError
from fleet.resources.device import EdgeDeviceSetSpec
from fleet.sealing import KeyRing

_NAMESPACES_LIMIT: Final = 1000
"""Namespaces whose workloads are held compiled; the one asked for least recently goes first."""

_decode = msgspec.json.decode

_log = structlog.get_logger(__name__)


class Configurations:
    """The configurations of one process. At most `limit` bodies of a namespace are remembered."""

    def __init__(
        self,
        view: FleetView,
        keys: KeyRing,
        installation_key: bytes,
        limit: int,
        *,
        on_failure: Callable[[], None],
        report: Callable[[ReportConfiguration], None],
    ) -> None:
        self._view = view
        self._keys = keys
        self._installation_key = installation_key
        self._limit = limit
        self._on_failure = on_failure
        self._report = report
        self._bodies: WeakValueDictionary[str, Body] = WeakValueDictionary()
        self._groups: OrderedDict[str, Groups] = OrderedDict()

    def settled(self, device_id: str, namespace: str) -> Body | None:
        """The configuration of a device that is served in this namespace and of whom nothing is to be told or asked.

        None says nothing: ask for its identity. Costs a microsecond.
        """
        group = self._known(device_id)
        if group is None or not group.key.is_settled or group.namespace != namespace:
            return None
        return group.result.body

    def response(self, identity: DeviceIdentity) -> bytes:
        """The body of the answer to a configuration read. Raises UnavailableError when it cannot be assembled."""
        result = self._result(identity)
        if result.problem != identity.configuration_problem:
            revision = self._view.state.revision
            self._report(
                ReportConfiguration(
                    identity.device_id, identity.namespace, result.problem, not result.failure, revision
                )
            )
        if result.body is None:
            raise UnavailableError(f"the configuration cannot be assembled: {result.failure}")
        return result.body.for_device(identity.device_id)

    def known_version(self, identity: DeviceIdentity) -> str | None:
        """The version wanted for the device, assembled if it never was since it changed.

        None when it cannot be, or was and had to make room for others: a heartbeat is no reason to assemble it again.
        """
        group = self._known(identity.device_id)
        if group is None and self._view.state.identities.note(identity.device_id) is None:
            return self.wanted_version(identity)
        return group.result.body.version if group is not None and group.result.body is not None else None

    def wanted_version(self, identity: DeviceIdentity) -> str | None:
        """The version wanted for the device, assembled now if need be; None when it cannot be."""
        body = self._result(identity).body
        return body.version if body is not None else None

    def selected_workloads(self, device: JSONObject, hardware_labels: Mapping[str, str]) -> list[str]:
        """Names of the workloads that a device (its body as stored) is to run."""
        metadata = device["metadata"]
        groups = self._groups_of(self._view.state, metadata["namespace"])
        labels = effective_labels(metadata.get("labels") or {}, hardware_labels)
        return [workload.name for workload in groups.workloads.select(metadata["name"], labels)]

    def explanation(self, identity: DeviceIdentity) -> list[ExplainedField]:
        """Where each field comes from. Raises MusterError when the configuration cannot be assembled."""
        state = self._view.state
        groups = self._groups_of(state, identity.namespace)
        content = _decode(self.response(identity))["device-configuration"]
        device, labels = groups.device(identity)
        set_name = device_set_name(labels)
        held = state.get(ResourceKey("EdgeDeviceSet", identity.namespace, set_name)) if set_name else None
        explained = Explained(
            device,
            held.body if held else None,
            identity.hardware_labels,
            {part: value for part, value in content.items() if part not in ("device_id", "version")},
            # What the device's own sections lack is no matter where its set's replace them.
            self._own_content(sections_of(device, None), groups.references) if held else {},
            [] if identity.answers.is_stripped else groups.workloads.select(identity.device_id, labels),
        )
        return explain(state, explained)

    def _own_content(self, sections: EdgeDeviceSetSpec, references: References) -> JSONObject:
        try:
            content: JSONObject = _decode(configure(sections, [], references, self._installation_key).content)
        except ConfigurationError:
            return {}
        configuration: JSONObject = content["configuration"]
        return configuration

    def _known(self, device_id: str) -> Group | None:
        """The group that a device was found in since it last changed, as of now."""
        state = self._view.state
        group: Group | None = state.identities.note(device_id)
        if group is None:
            return None
        if group.generation == state.generation(group.namespace):
            return None if group.result.is_forgotten else group
        groups = self._groups_of(state, group.namespace)
        if groups.counting is not group.counting:
            state.identities.set_note(device_id, None)
            return None
        key = group.key._replace(named=groups.named(device_id))
        now = groups.group(key)
        if key.is_settled and now.result.problem != group.result.problem:
            now = groups.group(key._replace(is_settled=False))
        state.identities.set_note(device_id, now)
        return now

    def _result(self, identity: DeviceIdentity) -> Result:
        group = self._known(identity.device_id)
        if group is None:
            state = self._view.state
            groups = self._groups_of(state, identity.namespace)
            key = groups.key_of(identity)
            group = groups.group(key)
            if _is_settled(identity, group.result):
                group = groups.group(key._replace(is_settled=True))
            state.identities.set_note(identity.device_id, group)
        if group.result.failure and not group.result.is_told:
            self._tell(identity, group.result)
        return group.result

    def _groups_of(self, state: FleetState, namespace: str) -> Groups:
        groups = self._groups.get(namespace)
        if groups is None or groups.state is not state or groups.generation != state.generation(namespace):
            references = self._references(state, namespace)
            groups = Groups(
                state,
                namespace,
                groups,
                references=references,
                bodies=self._bodies,
                installation_key=self._installation_key,
                limit=self._limit,
            )
            self._groups[namespace] = groups
            if len(self._groups) > _NAMESPACES_LIMIT:
                self._groups.popitem(last=False)
        self._groups.move_to_end(namespace)
        return groups

    def _references(self, state: FleetState, namespace: str) -> References:
        opened: dict[str, JSONObject] = {}

        def secret(name: str) -> JSONObject | None:
            held = state.get(ResourceKey("Secret", namespace, name))
            if held is None:
                return None
            if name not in opened:
                opened[name] = self._keys.opened(held.body)
            return opened[name]

        def config_map(name: str) -> JSONObject | None:
            held = state.get(ResourceKey("ConfigMap", namespace, name))
            return held.body if held else None

        return References(namespace, secret, config_map)

    def _tell(self, identity: DeviceIdentity, result: Result) -> None:
        """Once for all devices that it is true of; each one's operator is told by an event."""
        result.is_told = True
        self._on_failure()
        resource, key = result.missing
        _log.warning(
            "configuration not assembled",
            namespace=identity.namespace,
            device=identity.device_id,
            resource=resource,
            key=key,
            revision=self._view.state.revision,
            reason=result.failure,
        )


def _is_settled(identity: DeviceIdentity, result: Result) -> bool:
    """Whether a read or a heartbeat of the device brings nothing but its answer."""
    is_key_known = identity.is_key_proven or not identity.key_fingerprint
    return (
        identity.state is DeviceState.REGISTERED
        and is_key_known
        and result.body is not None
        and result.problem == identity.configuration_problem
    )
