"""Which playbooks a device is to run, and what becomes of them as its heartbeats report them.

An EdgeConfig applies to devices with a label `config/…: <its name>`; each such device has an execution
`<device>-<edgeconfig>`, a resource once the device was first told of it. Its conditions only move on, so reports that
come late or twice change nothing, and a finished execution stays finished. Source: CONTRACT.md “Playbooks”.
"""

import uuid
from base64 import b64decode
from collections.abc import Iterator
from typing import Final, NamedTuple

from fleet.decisions.commands import Change, JSONObject, ReportPlaybook, ResourceKey
from fleet.decisions.registration import registered_in
from fleet.decisions.resource_bodies import created, timestamp
from fleet.decisions.signed_request import API_VERSION, device_key
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Verdict, accepted, refused, unchanged
from fleet.devices.states import DeviceState

EXECUTION_KIND: Final = "PlaybookExecution"
DEPLOYING: Final = "Deploying"

_CONFIG_KIND: Final = "EdgeConfig"
_LABEL_PREFIX: Final = "config/"

_FINISHED: Final = 3
_STEPS: Final = {
    DEPLOYING: 0,
    "TargetVerification": 1,
    "Running": 2,
    "SuccessfullyCompleted": _FINISHED,
    "CompletedWithError": _FINISHED,
}
_BY_LOWER_CASE: Final = {step.lower(): step for step in _STEPS}


class Execution(NamedTuple):
    """What a device is to run; `playbook` as an EdgeConfig's spec has it. `status` is None until it is a resource."""

    key: ResourceKey
    playbook: JSONObject
    status: JSONObject | None

    @property
    def text(self) -> str:
        """The playbook itself."""
        return b64decode(self.playbook.get("content") or "").decode("utf-8", "replace")

    @property
    def is_finished(self) -> bool:
        """Whether it has ended, in whichever way."""
        return _step(self.status) == _FINISHED


def executions(state: FleetState, device: JSONObject) -> Iterator[Execution]:
    """The executions of a device, from its body as stored, in the order of its EdgeConfigs' names.

    Of an EdgeConfig's playbooks the first, its most urgent, is run.
    """
    metadata = device["metadata"]
    namespace, device_id = metadata["namespace"], metadata["name"]
    labels = metadata.get("labels") or {}
    for name in sorted({value for label, value in labels.items() if label.startswith(_LABEL_PREFIX) and value}):
        config = state.get(ResourceKey(_CONFIG_KIND, namespace, name))
        playbooks = ((config.body.get("spec") or {}).get("edgePlaybook") or {}).get("playbooks") if config else None
        key = ResourceKey(EXECUTION_KIND, namespace, f"{device_id}-{name}")
        held = state.get(key)
        body = held.body if held else {}
        playbook = (body.get("spec") or {}).get("playbook") or (playbooks[0] if playbooks else None)
        if playbook:
            yield Execution(key, playbook, (body.get("status") or {}) if held else None)


def report_playbook(state: FleetState, command: ReportPlaybook, at_ms: int) -> Verdict:
    """A heartbeat reported an execution, or the device was first told of it."""
    identity = registered_in(state, command.device_id, command.namespace)
    device = state.get(device_key(command.device_id, command.namespace))
    if identity is None or device is None or identity.state is not DeviceState.REGISTERED:
        return refused("not-found", f"device {command.device_id} is not registered in namespace {command.namespace}")
    status = _BY_LOWER_CASE.get(command.status.lower())
    if status is None:
        return refused("invalid", f"{command.status[:60]!a} is no condition of a {EXECUTION_KIND}")
    for execution in executions(state, device.body):
        if execution.key.name == command.execution:
            return _advance(state, execution, status, at_ms)
    return refused("not-found", f"device {command.device_id} has no {EXECUTION_KIND} {command.execution}")


def _advance(state: FleetState, execution: Execution, status: str, at_ms: int) -> Verdict:
    if execution.status is not None and _step(execution.status) >= _STEPS[status]:
        return unchanged()
    key = execution.key
    held = state.get(key)
    if held is None:
        uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"muster:playbook:{key.namespace}:{key.name}:{at_ms}"))
        body = {
            "apiVersion": API_VERSION,
            "kind": EXECUTION_KIND,
            "metadata": {"name": key.name, "namespace": key.namespace},
            "spec": {"playbook": execution.playbook},
        }
        body = created(body, uid, at_ms)
    else:
        body = held.body
    past = [
        condition if condition.get("status") == "False" else _condition(condition["type"], "False", at_ms)
        for condition in (execution.status or {}).get("conditions") or ()
    ]
    return accepted(Change(key, body | {"status": {"conditions": [*past, _condition(status, "True", at_ms)]}}))


def _condition(condition_type: str, status: str, at_ms: int) -> JSONObject:
    return {"type": condition_type, "status": status, "lastTransitionTime": timestamp(at_ms)}


def _step(status: JSONObject | None) -> int:
    """How far an execution has come; before the first condition -1."""
    holding = [
        _STEPS.get(condition.get("type"), -1)
        for condition in (status or {}).get("conditions") or ()
        if condition.get("status") == "True"
    ]
    return max(holding, default=-1)
