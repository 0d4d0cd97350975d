"""A plant of devices for tests of previews, and what to apply to it."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from fleet.configuration import References, WorkloadIndex, assemble
from fleet.decisions.commands import Change, JSONObject, ResourceKey
from fleet.decisions.identity_changes import identity_change
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Limits
from fleet.devices.labels import device_set_name, effective_labels
from fleet.devices.states import DeviceIdentity, DeviceState
from fleet.errors import MusterError
from fleet.preview.planning import Deletion, Rules
from fleet.preview.preview import Asked, preview
from fleet.preview.result import Preview
from fleet.sealing import KEY_BYTES, NONCE_BYTES, KeyRing, is_sealed

FLOTTA = "management.project-flotta.io/v1alpha1"
KEY = b"k" * KEY_BYTES
RING = KeyRing({"one": KEY}, "one", KEY)
NAMESPACE = "plant"
SECRET_VALUE = "planted-value-of-a-secret"


def document(kind: str, name: str, content: JSONObject | None = None, **metadata: Any) -> JSONObject:
    """As a file has it."""
    api_version = "v1" if kind in {"Secret", "ConfigMap", "Namespace"} else FLOTTA
    place = {} if kind == "Namespace" else {"namespace": NAMESPACE}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **place, **metadata}, **(content or {})}


def workload(
    name: str, selector: JSONObject | None, *, image: str = "one", secret: str = "", device: str = ""
) -> JSONObject:
    """A workload with one container, which may refer to key `k` of a Secret."""
    container: JSONObject = {"name": "c", "image": image}
    if secret:
        container["env"] = [{"name": "E", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}]
    spec: JSONObject = {"type": "pod", "pod": {"spec": {"containers": [container]}}}
    spec |= {"deviceSelector": selector} if selector is not None else {}
    spec |= {"device": device} if device else {}
    return document("EdgeWorkload", name, {"spec": spec})


def secret(name: str, value: str = SECRET_VALUE) -> JSONObject:
    """A Secret with key `k`."""
    return document("Secret", name, {"data": {"k": b64encode(value.encode()).decode()}})


def device_set(name: str, period_s: int) -> JSONObject:
    """A set whose devices beat that often."""
    return document("EdgeDeviceSet", name, {"spec": {"heartbeat": {"periodSeconds": period_s}}})


def sealed(body: JSONObject, _: JSONObject | None = None) -> JSONObject:
    """As the API stores it."""
    return RING.seal(body, b"n" * NONCE_BYTES)


def opened(body: JSONObject) -> JSONObject:
    """As it was written."""
    return RING.open(body) if is_sealed(body) else body


class Plant:
    """A state with namespace `plant`."""

    def __init__(self) -> None:
        self.state = FleetState("default")
        self.revision = 0
        self.store(document("Namespace", NAMESPACE))

    def store(self, body: JSONObject) -> None:
        """Put a resource as it is."""
        metadata = body["metadata"]
        key = ResourceKey(body["kind"], metadata.get("namespace", ""), metadata["name"])
        self.revision += 1
        stored = sealed(body) if body["kind"] == "Secret" else body
        stored = stored | {"metadata": {**metadata, "uid": f"u{self.revision}"}}
        self.state.apply(Change(key, stored), self.revision)

    def device(
        self,
        device_id: str,
        labels: Mapping[str, str] | None = None,
        *,
        state: DeviceState = DeviceState.REGISTERED,
        hardware: Mapping[str, str] | None = None,
        spec: JSONObject | None = None,
    ) -> None:
        """Put a device and its standing."""
        self.store(document("EdgeDevice", device_id, {"spec": spec or {}}, labels=dict(labels or {})))
        identity = DeviceIdentity(device_id, state, NAMESPACE, "ab" * 32, hardware_labels=dict(hardware or {}))
        self.state.apply(identity_change(identity), self.revision)

    def preview(self, *documents: Any, deletions: tuple[Deletion, ...] = ()) -> Preview:
        """Drive it to its end."""
        steps = preview(self.state, Asked(list(documents), list(deletions)), RULES, KEY)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                found: Preview = done.value
                return found

    def versions(self) -> dict[str, str]:
        """What each registered device is told, assembled one by one; empty where it cannot be."""
        index = WorkloadIndex(
            NAMESPACE, [held.body for held in self.state.resources("EdgeWorkload", NAMESPACE).values()]
        )
        found = {}
        for device_id, identity in self.state.identities.items():
            if identity.answers.reads == 200:
                found[device_id] = self._version(identity, index)
        return found

    def _version(self, identity: DeviceIdentity, index: WorkloadIndex) -> str:
        held = self.state.get(ResourceKey("EdgeDevice", NAMESPACE, identity.device_id))
        assert held is not None
        labels = effective_labels(held.body["metadata"].get("labels") or {}, identity.hardware_labels)
        set_name = device_set_name(labels)
        owner = self.state.get(ResourceKey("EdgeDeviceSet", NAMESPACE, set_name)) if set_name else None
        try:
            return assemble(
                held.body,
                labels,
                owner.body if owner else None,
                index,
                References(NAMESPACE, self._body("Secret"), self._body("ConfigMap")),
                is_deleting=identity.answers.is_stripped,
                installation_key=KEY,
            ).version
        except MusterError:
            return ""

    def _body(self, kind: str) -> Any:
        def look(name: str) -> JSONObject | None:
            held = self.state.get(ResourceKey(kind, NAMESPACE, name))
            return opened(held.body) if held else None

        return look


RULES = Rules(NAMESPACE, Limits(pending_limit=3, pending_expiry_ms=1), 1_700_000_000_000, opened, sealed)
