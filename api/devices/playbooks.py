"""`GET …/playbookexecutions`: what a device is to run once, from memory, until its heartbeats say that it has ended.

Source: CONTRACT.md “Playbooks”; `contract/swagger.yaml`, `playbook-execution`.
"""

from typing import Final

import msgspec

from api.answers import Answer, json_answer
from api.desired_state.fleet_view import FleetView
from api.devices.follow_ups import FollowUps
from fleet.decisions.playbooks import executions
from fleet.decisions.signed_request import device_key
from fleet.devices.states import DeviceIdentity

_NONE: Final = json_answer(b"[]")

_encode = msgspec.json.Encoder().encode


class Playbooks:
    """Answers from the process's view, and has executions that a device is first told of noted as its resources."""

    def __init__(self, view: FleetView, follow_ups: FollowUps) -> None:
        self._view = view
        self._follow_ups = follow_ups

    def answer(self, identity: DeviceIdentity) -> Answer:
        """The executions that have not ended, as a bare array; none for a device being deleted."""
        state = self._view.state
        held = state.get(device_key(identity.device_id, identity.namespace))
        if held is None or identity.answers.is_stripped:
            return _NONE
        served = []
        for execution in executions(state, held.body):
            if execution.status is None:
                self._follow_ups.playbook_was_served(identity, execution.key.name)
            if not execution.is_finished:
                served.append({"name": execution.key.name, "ansible_playbook_string": execution.text})
        return json_answer(_encode(served)) if served else _NONE
