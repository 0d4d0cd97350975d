"""The desired state as of one revision: every resource, every device's standing, and what configurations depend on.

The deciding worker and every API process hold one `FleetState` each and feed it the same outcomes in the order of
their revisions. An older revision never overwrites a newer one, so outcomes may be delivered again at any time.
Devices and what there is one of for each are packed (`packed_identities`, `packed_resources`): reading one makes a
value anew. All other bodies are shared: whoever reads one must not change it.
"""

import heapq
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from fleet.decisions.commands import Change, JSONObject, Outcome, ResourceKey
from fleet.decisions.packed_bodies import PackedBodies
from fleet.decisions.packed_identities import PackedIdentities
from fleet.decisions.packed_resources import PackedResources
from fleet.decisions.sealed_content import is_same_content, revision_of_content
from fleet.decisions.stored_resource import StoredResource as StoredResource  # noqa: PLC0414 - where others look for it
from fleet.devices.states import IDENTITY_KIND, DeviceIdentity, DeviceState

NAMESPACE_KIND: Final = "Namespace"
WORKLOAD_KIND: Final = "EdgeWorkload"
DEVICE_KIND: Final = "EdgeDevice"

SHARED_KINDS: Final = frozenset({"EdgeDeviceSet", "EdgeWorkload", "EdgeConfig", "Secret", "ConfigMap"})
"""Kinds whose change can matter to the configuration of any device of their namespace."""

_REFERRED_KINDS: Final = frozenset({"Secret", "ConfigMap"})

PACKED_KINDS: Final = frozenset({DEVICE_KIND, "EdgeDeviceSignedRequest", "PlaybookExecution"})
"""Kinds of which there is one or more a device: a million dicts would not fit."""

COLLECTED_KINDS: Final = PACKED_KINDS | {IDENTITY_KIND}
"""Kinds that `FleetState.collect` takes."""

_STALE_PENDING_LIMIT: Final = 1000
"""Places kept for enrolments that were decided meanwhile, before they are cleared away."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, object]).decode
_decode_identity = msgspec.json.Decoder(DeviceIdentity).decode
_decode_identities = msgspec.json.Decoder(list[DeviceIdentity]).decode
_NOTHING: Final[Mapping[str, StoredResource]] = {}


class FleetState:
    """All resources and identities at `revision`, the last one applied. The initial namespace always exists."""

    def __init__(self, initial_namespace: str) -> None:
        self.initial_namespace = initial_namespace
        self.revision = 0
        self.identities = PackedIdentities()
        self.deleting: set[str] = set()
        self.pending_count = 0
        self._resources: dict[str, dict[str, dict[str, StoredResource]]] = {
            NAMESPACE_KIND: {"": {initial_namespace: StoredResource(0, _namespace_body(initial_namespace))}}
        }
        self._packed: dict[str, dict[str, PackedResources]] = {kind: {} for kind in sorted(PACKED_KINDS)}
        self._bodies = {kind: PackedBodies() for kind in PACKED_KINDS}
        self._generations: dict[str, int] = {}
        self._references_generations: dict[str, int] = {}
        self._pending: list[tuple[int, str]] = []  # a heap of (requested_at_ms, device_id); stale entries stay in it

    def get(self, key: ResourceKey) -> StoredResource | None:
        """The resource, if there is one."""
        return self.resources(key.kind, key.namespace).get(key.name)

    def resources(self, kind: str, namespace: str) -> Mapping[str, StoredResource]:
        """All of a kind in a namespace, by name (namespace "" for kinds without one). A live view: do not change it."""
        return self._of(kind).get(namespace, _NOTHING)

    def namespaces_with(self, kind: str) -> list[str]:
        """Namespaces that hold at least one of a kind, for lists over all of them."""
        return [namespace for namespace, resources in self._of(kind).items() if resources]

    def has_namespace(self, namespace: str) -> bool:
        """Whether a namespace exists."""
        return namespace in self._resources[NAMESPACE_KIND][""]

    def kinds_in(self, namespace: str) -> list[str]:
        """Kinds of which a namespace holds something; empty means that it may be deleted."""
        return [kind for kind in (*self._resources, *self._packed) if namespace and self._of(kind).get(namespace)]

    def device_state(self, device_id: str) -> DeviceState:
        """Where a device stands; UNKNOWN when it was never heard of."""
        identity = self.identities.get(device_id)
        return identity.state if identity else DeviceState.UNKNOWN

    def device_namespace(self, device_id: str) -> str | None:
        """The namespace that holds an EdgeDevice of this name, of which there is at most one."""
        for namespace, devices in self._packed[DEVICE_KIND].items():
            if device_id in devices:
                return namespace
        return None

    def generation(self, namespace: str) -> int:
        """Raised by every change in a namespace that can matter to more than one device's configuration."""
        return self._generations.get(namespace, 0)

    def references_generation(self, namespace: str) -> int:
        """The same for Secrets and ConfigMaps alone, to which the others refer."""
        return self._references_generations.get(namespace, 0)

    def pending_since(self, before_ms: int, limit: int) -> list[DeviceIdentity]:
        """Up to `limit` undecided enrolments requested before a time, oldest first, ties by device id."""
        found: list[DeviceIdentity] = []
        while self._pending and len(found) < limit:
            requested_at_ms, device_id = self._pending[0]
            identity = self.identities.get(device_id)
            if identity and identity.state is DeviceState.PENDING and identity.requested_at_ms == requested_at_ms:
                if requested_at_ms >= before_ms:
                    break
                if not found or found[-1].device_id != device_id:
                    found.append(identity)
            heapq.heappop(self._pending)
        for identity in found:
            heapq.heappush(self._pending, (identity.requested_at_ms, identity.device_id))
        return found

    def apply_outcome(self, outcome: Outcome) -> bool:
        """Apply an accepted outcome that is newer than this state. False when it was applied before."""
        if outcome.revision <= self.revision:
            return False
        if outcome.result == "accepted":
            for change in outcome.changes:
                self.apply(change, outcome.revision)
        self.revision = outcome.revision
        return True

    def apply(self, change: Change, revision: int) -> None:
        """Take one resource's content at a revision, unless a newer one is held."""
        key = change.key
        if key.kind == IDENTITY_KIND:
            identity = None if change.body is None else msgspec.convert(change.body, DeviceIdentity)
            self._store_identity(key.name, identity, revision)
        elif change.body is None:
            self._store(key, None, revision)
        else:
            self._store(key, _encode(change.body) if key.kind in PACKED_KINDS else change.body, revision)

    def load(self, key: ResourceKey, body: bytes, revision: int) -> None:
        """Take one stored resource, as JSON bytes: what `apply` does, for millions."""
        if key.kind == IDENTITY_KIND:
            self._store_identity(key.name, _decode_identity(body), revision)
        else:
            self._store(key, body if key.kind in PACKED_KINDS else _decode(body), revision)

    def collect(
        self, kind: str, namespace: str, names: Sequence[str], bodies: Sequence[bytes], revisions: Sequence[int]
    ) -> None:
        """Take stored resources of a packed kind or identities, each once, into a state that holds none of the kind.

        A tenth of what `load` takes; they are there after `settle`.
        """
        if kind != IDENTITY_KIND:
            self._packed_of(kind, namespace).collect(names, bodies, revisions)
            return
        identities = _decode_identities(b"[%b]" % b",".join(bodies))
        self.identities.collect(identities, revisions)
        self.deleting.update([each.device_id for each in identities if each.state is DeviceState.DELETING])
        pending = [(each.requested_at_ms, each.device_id) for each in identities if each.state is DeviceState.PENDING]
        self._pending += pending
        self.pending_count += len(pending)

    def settle(self) -> None:
        """Hold what was collected."""
        for resources in (each for namespaces in self._packed.values() for each in namespaces.values()):
            resources.settle()
        self.identities.settle()
        heapq.heapify(self._pending)

    def _of(self, kind: str) -> Mapping[str, Mapping[str, StoredResource]]:
        packed: Mapping[str, Mapping[str, StoredResource]] | None = self._packed.get(kind)
        return packed if packed is not None else self._resources.get(kind, {})

    def _store(self, key: ResourceKey, content: Any, revision: int) -> None:
        if key.kind in PACKED_KINDS:
            self._store_packed(key, content, revision)
            return
        resources = self._resources.setdefault(key.kind, {}).setdefault(key.namespace, {})
        held = resources.get(key.name)
        if held is not None and held.revision >= revision:
            return
        if key.kind in SHARED_KINDS and _can_matter(held, content):
            self._generations[key.namespace] = self.generation(key.namespace) + 1
            if key.kind in _REFERRED_KINDS:
                self._references_generations[key.namespace] = self.references_generation(key.namespace) + 1
        if content is None:
            resources.pop(key.name, None)
        else:
            resources[key.name] = StoredResource(revision_of_content(content, revision), content)

    def _store_packed(self, key: ResourceKey, content: Any, revision: int) -> None:
        resources = self._packed_of(key.kind, key.namespace)
        if resources.revision(key.name) >= revision:
            return
        if content is None:
            resources.remove(key.name)
        else:
            resources.put(key.name, content, revision)
        if key.kind == DEVICE_KIND:
            self.identities.set_note(key.name, None)

    def _packed_of(self, kind: str, namespace: str) -> PackedResources:
        resources = self._packed[kind].get(namespace)
        if resources is None:
            resources = self._packed[kind][namespace] = PackedResources(self._bodies[kind])
        return resources

    def _store_identity(self, device_id: str, identity: DeviceIdentity | None, revision: int) -> None:
        held = self.identities.get(device_id)
        if held is not None and held.revision >= revision:
            return
        if held is not None and held.state is DeviceState.PENDING:
            self.pending_count -= 1
        self.deleting.discard(device_id)
        if identity is None:
            self.identities.remove(device_id)
            return
        self.identities.put(identity, revision)
        if identity.state is DeviceState.PENDING:
            self.pending_count += 1
            heapq.heappush(self._pending, (identity.requested_at_ms, device_id))
            if len(self._pending) > 2 * self.pending_count + _STALE_PENDING_LIMIT:
                self._forget_stale()
        elif identity.state is DeviceState.DELETING:
            self.deleting.add(device_id)

    def _forget_stale(self) -> None:
        """Drop those from the heap who do not wait any more: after an import they would be the whole fleet."""
        waiting = {
            (requested_at_ms, device_id)
            for requested_at_ms, device_id in self._pending
            if (identity := self.identities.get(device_id))
            and identity.state is DeviceState.PENDING
            and identity.requested_at_ms == requested_at_ms
        }
        self._pending = sorted(waiting)


def _can_matter(held: StoredResource | None, content: JSONObject | None) -> bool:
    """Whether more than the status differs."""
    if held is None or content is None:
        return True
    before = held.body
    if "sealed" in before:
        return not is_same_content(before, content)
    return any(before.get(field) != content.get(field) for field in (before.keys() | content.keys()) - {"status"})


def _namespace_body(name: str) -> JSONObject:
    """The initial namespace as it is before anyone has changed it; the same in every process."""
    uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"muster:namespace:{name}"))
    return {"apiVersion": "v1", "kind": NAMESPACE_KIND, "metadata": {"name": name, "uid": uid}}
