"""A command log in memory: what tests ask of the rules, one command after the other."""

from typing import Any, Literal

from fleet.decisions.commands import (
    Command,
    DeleteResource,
    EnrolDevice,
    FinishDeletion,
    Outcome,
    ProveKey,
    PutResource,
    RegisterDevice,
    Request,
    ResourceKey,
)
from fleet.decisions.decide import decide
from fleet.decisions.signed_request import API_VERSION, request_key
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Limits
from fleet.devices.states import DeviceIdentity, DeviceState

NOW_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
LIMITS = Limits(pending_limit=3, pending_expiry_ms=24 * HOUR_MS)
KEY = "aa" * 32
OTHER_KEY = "bb" * 32


class CommandLog:
    """Decides commands on a state of its own, whose initial namespace is `default`; `plant` exists too."""

    def __init__(self) -> None:
        self.state = FleetState("default")
        self.revision = 0
        self.now_ms = NOW_MS
        self.put(ResourceKey("Namespace", "", "plant"), {})

    def submit(self, command: Command) -> Outcome:
        """The outcome of the next command, applied."""
        self.revision += 1
        request = Request(f"request-{self.revision}", "ann", self.now_ms, command)
        outcome = decide(self.state, request, self.revision, LIMITS)
        self.state.apply_outcome(outcome)
        return outcome

    def put(
        self,
        key: ResourceKey,
        content: dict[str, Any],
        mode: Literal["create", "replace", "upsert"] = "upsert",
        *,
        subresource: Literal["", "status"] = "",
        expected_revision: int | None = None,
    ) -> Outcome:
        """An operator's resource: `content` is all but what its key says; `metadata` may add labels."""
        metadata = {"name": key.name} | ({"namespace": key.namespace} if key.namespace else {})
        body = {"apiVersion": API_VERSION, "kind": key.kind} | content
        body["metadata"] = metadata | content.get("metadata", {})
        uid = f"uid-{self.revision + 1}"
        return self.submit(PutResource(key, body, mode, uid, expected_revision, subresource))

    def delete(self, key: ResourceKey) -> Outcome:
        """An operator deletes."""
        return self.submit(DeleteResource(key))

    def enrol(self, device_id: str = "dev", namespace: str = "plant", *, is_auto_approved: bool = False) -> Outcome:
        """A device asks to join."""
        features = {"hardware": {"hostname": device_id}}
        uid = f"uid-{self.revision + 1}"
        return self.submit(EnrolDevice(device_id, namespace, features, is_auto_approved, uid, f"device-{uid}"))

    def sign(self, device_id: str = "dev", namespace: str = "plant", *, approved: bool = True, **spec: str) -> Outcome:
        """An operator writes the signed request."""
        key = request_key(device_id, "default")
        return self.put(key, {"spec": {"targetNamespace": namespace, "approved": approved, **spec}})

    def decline(self, device_id: str = "dev") -> Outcome:
        """An operator declines."""
        status = {"conditions": [{"type": "Declined", "status": "True", "message": "not ours"}]}
        return self.put(request_key(device_id, "default"), {"status": status}, "replace", subresource="status")

    def register(self, device_id: str = "dev", namespace: str = "plant", key: str = KEY) -> Outcome:
        """A device shows its key."""
        return self.submit(RegisterDevice(device_id, namespace, key, {"device.hostname": device_id}))

    def prove(self, device_id: str = "dev", namespace: str = "plant", key: str = KEY) -> Outcome:
        """A device used its certificate."""
        return self.submit(ProveKey(device_id, namespace, key))

    def identity(self, device_id: str = "dev") -> DeviceIdentity:
        """A device that is known."""
        return self.state.identities[device_id]

    def stands(self, device_id: str = "dev") -> DeviceState:
        """Where a device stands."""
        return self.state.device_state(device_id)

    def bring_to(self, state: DeviceState) -> None:
        """Lead the device `dev` to a state the way a fleet would."""
        if state is DeviceState.UNKNOWN:
            return
        self.enrol()
        if state is DeviceState.DECLINED:
            self.decline()
        if state in (DeviceState.PENDING, DeviceState.DECLINED):
            return
        self.sign()
        if state is DeviceState.APPROVED:
            return
        self.register()
        if state is DeviceState.REVOKED:
            self.decline()
        if state in (DeviceState.DELETING, DeviceState.REMOVED):
            self.delete(ResourceKey("EdgeDevice", "plant", "dev"))
        if state is DeviceState.REMOVED:
            self.finish_deletion()

    def finish_deletion(self) -> Outcome:
        """The device reported that it runs nothing any more."""
        return self.submit(FinishDeletion("dev", "plant"))
