"""Decides several resources as one change: each is judged as if those before it were stored, and all are, or none."""

from collections import ChainMap
from typing import Final

import msgspec

from fleet.decisions.commands import Change, PutTogether, ResourceKey
from fleet.decisions.resource import put_resource
from fleet.decisions.signed_request import DEVICE_KIND
from fleet.decisions.state import NAMESPACE_KIND, FleetState, StoredResource
from fleet.decisions.verdict import Refusal, Verdict, accepted, refused, unchanged
from fleet.devices.states import IDENTITY_KIND, DeviceIdentity, DeviceState

TOGETHER_LIMIT: Final = 1000
"""Resources of one change: it stands in one record of the log, so that it is decided whole, and others wait for it.

A thousand resources of the usual 1 to 3 kB fill the record of `MUSTER_KAFKA_RECORD_LIMIT_BYTES`' default, 4 MB.
"""

_TOLD_LIMIT: Final = 50
"""Refusals that are told; the rest is counted."""


def put_together(state: FleetState, command: PutTogether, at_ms: int) -> Verdict:
    """All of the resources. A refusal's message has a line for each that is refused: `items[3]: why`."""
    if len(command.puts) > TOGETHER_LIMIT:
        return refused("invalid", f"{len(command.puts)} resources: {TOGETHER_LIMIT} are changed together at most")
    ahead = _StateAhead(state)
    changes: dict[ResourceKey, Change] = {}
    told: list[str] = []
    result: Refusal = "invalid"
    for index, put in enumerate(command.puts):
        verdict = put_resource(ahead, put, at_ms)
        if verdict.result == "accepted" or verdict.result == "unchanged":  # noqa: PLR1714 - by which types are told
            ahead.take(verdict.changes)
            changes |= {change.key: change for change in verdict.changes}
            continue
        result = result if told else verdict.result
        told.append(f"items[{index}]: {verdict.message}")
    if told:
        more = [f"and {len(told) - _TOLD_LIMIT} more"] if len(told) > _TOLD_LIMIT else []
        return refused(result, "\n".join([*told[:_TOLD_LIMIT], *more]))
    return accepted(*changes.values()) if changes else unchanged()


class _StateAhead(FleetState):
    """A state as it would be after changes, for what putting a resource asks of it; the state stays as it is."""

    def __init__(self, state: FleetState) -> None:
        # Nothing is copied, so what the base class would set up is left out: a fleet may have a million devices.
        self._state = state
        self._changed: dict[ResourceKey, StoredResource | None] = {}
        self._identities: dict[str, DeviceIdentity] = {}
        self._devices: dict[str, str] = {}
        self.initial_namespace = state.initial_namespace
        self.revision = state.revision
        self.identities = ChainMap(self._identities, state.identities)  # type: ignore[arg-type, assignment]

    def take(self, changes: tuple[Change, ...]) -> None:
        """Go on as if these were stored."""
        for change in changes:
            if change.key.kind == IDENTITY_KIND:
                self._identities[change.key.name] = msgspec.convert(change.body, DeviceIdentity)
            else:
                stored = None if change.body is None else StoredResource(self.revision, change.body)
                self._changed[change.key] = stored
                if change.key.kind == DEVICE_KIND:
                    self._devices[change.key.name] = change.key.namespace  # putting resources removes no device

    def get(self, key: ResourceKey) -> StoredResource | None:
        return self._changed[key] if key in self._changed else self._state.get(key)

    def has_namespace(self, namespace: str) -> bool:
        return self.get(ResourceKey(NAMESPACE_KIND, "", namespace)) is not None

    def device_state(self, device_id: str) -> DeviceState:
        identity = self.identities.get(device_id)
        return identity.state if identity else DeviceState.UNKNOWN

    def device_namespace(self, device_id: str) -> str | None:
        return self._devices.get(device_id) or self._state.device_namespace(device_id)
