"""Where a device stands, and what each state answers to the six calls: the table of CONTRACT.md, as data.

`ANSWERS` is the only place that knows it. It holds for a device asked for in its own namespace; in another one every
call is answered as for an unknown device (404), the initial namespace aside for `GET registration`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal, NamedTuple

import msgspec

IDENTITY_KIND: Final = "DeviceIdentity"
"""The internal kind under which identities travel in the command log, the feed and `decisions`: never a resource."""


class DeviceState(StrEnum):
    """The life of a device id. `UNKNOWN` is never stored: it is the absence of an identity."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    DECLINED = "declined"
    APPROVED = "approved"
    REGISTERED = "registered"
    DELETING = "deleting"
    REMOVED = "removed"
    REVOKED = "revoked"


class Answers(NamedTuple):
    """The statuses of one state.

    `registration_status` is what a 200 to `GET registration` says; only `registered` goes with a namespace, because
    the Edge API signs a certificate for whatever namespace it is given. `register` 200 means: if the key may (see
    `fleet.decisions.registration`). `is_stripped`: reads leave out workloads and secrets.
    """

    enrol: Literal[200, 201, 403]
    registration: Literal[200, 403, 404]
    registration_status: Literal["registered", "unregistered", ""]
    register: Literal[200, 403]
    reads: Literal[200, 404]
    is_stripped: bool
    heartbeat: Literal[200, 404]


ANSWERS: Final[Mapping[DeviceState, Answers]] = {
    DeviceState.UNKNOWN: Answers(201, 404, "", 403, 404, False, 404),
    DeviceState.PENDING: Answers(201, 403, "", 403, 404, False, 404),
    DeviceState.DECLINED: Answers(403, 403, "", 403, 404, False, 404),
    DeviceState.APPROVED: Answers(200, 200, "registered", 200, 404, False, 404),
    DeviceState.REGISTERED: Answers(200, 200, "registered", 200, 200, False, 200),
    DeviceState.DELETING: Answers(200, 200, "registered", 403, 200, True, 200),
    DeviceState.REMOVED: Answers(201, 200, "unregistered", 403, 404, False, 404),
    DeviceState.REVOKED: Answers(403, 200, "unregistered", 403, 404, False, 404),
}


class DeviceIdentity(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is known of a device id beside its resources. Times are Unix milliseconds, 0 for never.

    `namespace` is where the device is, or asks to be. `key_fingerprint` is the hex SHA-256 of the registered key's
    SubjectPublicKeyInfo; it `is_key_proven` once the device beat or polled with its certificate,
    and `may_change_key` once more by an operator's leave.
    `former_key_fingerprint` is the key of the device's life before it was removed or revoked. `hardware_labels` are
    the device's own claims: an operator's labels win over them; `labels_sequence` is the place in the heartbeats' log
    that they come from, 0 when not known. `revision` is that of the last change, and not part of what is stored.
    """

    device_id: str
    state: DeviceState
    namespace: str
    key_fingerprint: str = ""
    is_key_proven: bool = False
    may_change_key: bool = False
    former_key_fingerprint: str = ""
    hardware_labels: dict[str, str] = {}
    labels_sequence: int = 0
    requested_at_ms: int = 0
    approved_at_ms: int = 0
    registered_at_ms: int = 0
    deleting_since_ms: int = 0
    configuration_problem: str = ""
    revision: int = 0

    @property
    def answers(self) -> Answers:
        """What this device's calls are answered."""
        return ANSWERS[self.state]
