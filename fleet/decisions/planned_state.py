"""The desired state as it would be: a state that goes on changing beneath, with planned changes on top of it.

Rules decide on it as on the state itself. Nothing of what lies beneath is changed or copied.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from fleet.decisions.commands import Change, ResourceKey
from fleet.decisions.signed_request import DEVICE_KIND
from fleet.decisions.state import NAMESPACE_KIND, FleetState
from fleet.decisions.stored_resource import StoredResource
from fleet.devices.states import IDENTITY_KIND, DeviceIdentity, DeviceState

if TYPE_CHECKING:
    from fleet.decisions.packed_identities import PackedIdentities


class Changed(NamedTuple):
    """A resource before and after all that is planned; None where there is none."""

    key: ResourceKey
    before: StoredResource | None
    after: StoredResource | None


class PlannedState(FleetState):
    """`base` with what is planned on top: what rules and readers of single namespaces ask of a state, and no more."""

    def __init__(self, base: FleetState) -> None:
        # Nothing is copied, so what the base class would set up is left out: a fleet may have a million devices.
        self.initial_namespace = base.initial_namespace
        self.base = base
        self.revision = base.revision
        self._planned: dict[ResourceKey, StoredResource | None] = {}
        self._homes: dict[str, str | None] = {}
        self._identities = _Identities(base.identities)
        self.identities = cast("PackedIdentities", self._identities)

    def plan(self, changes: Iterable[Change]) -> None:
        """Take what an outcome would change."""
        for change in changes:
            key, body = change.key, change.body
            if key.kind == IDENTITY_KIND:
                self._identities.planned[key.name] = None if body is None else msgspec.convert(body, DeviceIdentity)
                continue
            self._planned[key] = None if body is None else StoredResource(self.revision, body)
            if key.kind == DEVICE_KIND:
                self._homes[key.name] = None if body is None else key.namespace

    def changed(self) -> Iterator[Changed]:
        """Every resource that is planned to be another, or to be gone."""
        for key, after in self._planned.items():
            before = self.base.get(key)
            if before is not None or after is not None:
                yield Changed(key, before, after)

    def changed_identities(self) -> Iterable[str]:
        """Ids of devices whose standing is planned to change."""
        return self._identities.planned

    def get(self, key: ResourceKey) -> StoredResource | None:
        """The resource, if there will be one."""
        return self._planned[key] if key in self._planned else self.base.get(key)

    def resources(self, kind: str, namespace: str) -> Mapping[str, StoredResource]:
        """All of a kind in a namespace, copied: for kinds of which there are not as many as devices."""
        found = dict(self.base.resources(kind, namespace))
        for key, held in self._planned.items():
            if (key.kind, key.namespace) == (kind, namespace):
                if held is None:
                    found.pop(key.name, None)
                else:
                    found[key.name] = held
        return found

    def has_namespace(self, namespace: str) -> bool:
        """Whether a namespace will exist."""
        return self.get(ResourceKey(NAMESPACE_KIND, "", namespace)) is not None

    def kinds_in(self, namespace: str) -> list[str]:
        """Kinds of which a namespace will hold something."""
        kinds = {key.kind for key, held in self._planned.items() if key.namespace == namespace and held is not None}
        for kind in set(self.base.kinds_in(namespace)) - kinds:
            names = self.base.resources(kind, namespace)
            if any(ResourceKey(kind, namespace, name) not in self._planned for name in names):
                kinds.add(kind)
        return sorted(kinds)

    def device_state(self, device_id: str) -> DeviceState:
        """Where a device will stand."""
        identity = self.identities.get(device_id)
        return identity.state if identity else DeviceState.UNKNOWN

    def device_namespace(self, device_id: str) -> str | None:
        """The namespace that will hold an EdgeDevice of this name."""
        return self._homes[device_id] if device_id in self._homes else self.base.device_namespace(device_id)


class _Identities:
    """As much of a mapping as the rules read."""

    def __init__(self, base: Mapping[str, DeviceIdentity]) -> None:
        self._base = base
        self.planned: dict[str, DeviceIdentity | None] = {}

    def get(self, device_id: str) -> DeviceIdentity | None:
        return self.planned[device_id] if device_id in self.planned else self._base.get(device_id)
