"""What can be asked of the fleet's desired state, and what came of it.

A `Request` carries one command through the command log. Everything a decision needs that is not in the log before it
(time, uid, nonces) travels in the request, so that the decision is a function of the log. An `Outcome` is stored under
the request's revision and published with the resources it changed.
"""

from typing import Any, Literal

import msgspec

JSONObject = dict[str, Any]


class ResourceKey(msgspec.Struct, array_like=True, frozen=True, order=True):
    """Names one resource. `namespace` is empty for kinds without one."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class PutResource(msgspec.Struct, tag="put", frozen=True):
    """Create or replace a resource. `body` is the whole resource as JSON values, validated, Secrets sealed.

    `mode`: `create` refuses an existing one, `replace` a missing one, `upsert` neither. `expected_revision` refuses
    when the resource is at another revision. `uid` becomes the resource's when this creates it. `subresource`
    `status` replaces `.status` alone, otherwise `.status` is kept.
    """

    key: ResourceKey
    body: JSONObject
    mode: Literal["create", "replace", "upsert"]
    uid: str
    expected_revision: int | None = None
    subresource: Literal["", "status"] = ""


class PutTogether(msgspec.Struct, tag="put-together", frozen=True):
    """Create or replace several resources, each as if those before it were there already: all of them, or none."""

    puts: list[PutResource]


class ResealSecret(msgspec.Struct, tag="reseal", frozen=True):
    """Hold a Secret's content sealed with another key. `sealed` is the new seal; its MAC says of which content."""

    key: ResourceKey
    sealed: JSONObject


class DeleteResource(msgspec.Struct, tag="delete", frozen=True):
    """Delete a resource; `expected_uid` and `expected_revision` are preconditions."""

    key: ResourceKey
    expected_uid: str | None = None
    expected_revision: int | None = None


class EnrolDevice(msgspec.Struct, tag="enrol", frozen=True):
    """A device asks to join. `uid` and `device_uid` become those of the signed request and of the device."""

    device_id: str
    target_namespace: str
    features: JSONObject
    is_auto_approved: bool
    uid: str
    device_uid: str


class RegisterDevice(msgspec.Struct, tag="register", frozen=True):
    """An approved device shows its key: `key_fingerprint` is the hex SHA-256 of the CSR's SubjectPublicKeyInfo.

    `sequence` as in `SetHardwareLabels`, that of the hardware sent along.
    """

    device_id: str
    namespace: str
    key_fingerprint: str
    hardware_labels: dict[str, str]
    sequence: int = 0


class ProveKey(msgspec.Struct, tag="prove-key", frozen=True):
    """A device beat or polled in its namespace, so it holds the certificate for this key."""

    device_id: str
    namespace: str
    key_fingerprint: str


class SetHardwareLabels(msgspec.Struct, tag="hardware-labels", frozen=True):
    """A heartbeat showed hardware whose labels differ from those stored.

    `sequence` is the heartbeat's (`fleet.position`), by which an older one that comes later is known; 0 is not known.
    """

    device_id: str
    namespace: str
    hardware_labels: dict[str, str]
    sequence: int = 0


class FinishDeletion(msgspec.Struct, tag="finish-deletion", frozen=True):
    """A device being deleted reported the stripped configuration, or had its hour."""

    device_id: str
    namespace: str


class ReportConfiguration(msgspec.Struct, tag="configuration", frozen=True):
    """A process assembled a device's configuration, or could not, as of its state's `revision`.

    `problem` names resource and key and says what an operator can do, empty when there is none; with a problem and
    `is_assembled` a part was left out.
    """

    device_id: str
    namespace: str
    problem: str
    is_assembled: bool
    revision: int


class ReportPlaybook(msgspec.Struct, tag="playbook", frozen=True):
    """A heartbeat reported another status of a PlaybookExecution, or its device was first told of it (`Deploying`)."""

    device_id: str
    namespace: str
    execution: str
    status: str


class ResetKey(msgspec.Struct, tag="reset-key", frozen=True):
    """An operator lets a registered device register another key, once."""

    device_id: str
    namespace: str


class PreauthoriseDevice(msgspec.Struct, tag="preauthorise", frozen=True):
    """An operator approves a device that has not asked yet. `uid` and `device_uid` as in `EnrolDevice`.

    An empty `target_set` is none; `labels` become the device's.
    """

    device_id: str
    namespace: str
    target_set: str
    labels: dict[str, str]
    uid: str
    device_uid: str


Command = (
    PutResource
    | PutTogether
    | ResealSecret
    | DeleteResource
    | EnrolDevice
    | RegisterDevice
    | ProveKey
    | SetHardwareLabels
    | FinishDeletion
    | ReportConfiguration
    | ReportPlaybook
    | ResetKey
    | PreauthoriseDevice
)


class Request(msgspec.Struct, array_like=True, frozen=True):
    """One command on its way. `request_id` makes a retry harmless; `issued_at_ms` is Unix time at the API.

    `message` says why, in the author's words; it may be empty.
    """

    request_id: str
    author: str
    issued_at_ms: int
    command: Command
    message: str = ""


class Change(msgspec.Struct, array_like=True, frozen=True):
    """One resource's new content, or None when it is gone. `body` is as stored: JSON values, Secrets sealed."""

    key: ResourceKey
    body: JSONObject | None


class DeviceEvent(msgspec.Struct, array_like=True, frozen=True):
    """Something about a device that its operator should see; a row of `device_events` with source `muster`."""

    namespace: str
    device_id: str
    type: Literal["info", "warn"]
    reason: str
    message: str


class Outcome(msgspec.Struct, array_like=True, frozen=True):
    """What came of a request.

    `result`: `accepted`, `unchanged` (nothing to do, so `changes` is empty), or why it was refused: `invalid`,
    `forbidden`, `not-found`, `conflict`. `revision` is where the request was first decided: a repeated request id gets
    its first outcome again.
    """

    revision: int
    request_id: str
    author: str
    issued_at_ms: int
    result: Literal["accepted", "unchanged", "invalid", "forbidden", "not-found", "conflict"]
    message: str
    changes: list[Change]
    events: list[DeviceEvent]
