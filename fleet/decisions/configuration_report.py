"""Decides what is told of devices whose configuration cannot be assembled: an event when that begins, changes or ends.

Every API process meets the same problem at every poll, so what was told last is kept with the device: told again it
changes nothing, whichever process says so and how often.
"""

from typing import Final, Literal

import msgspec

from fleet.decisions.commands import DeviceEvent, ReportConfiguration
from fleet.decisions.identity_changes import identity_change
from fleet.decisions.registration import registered_in
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Verdict, accepted, refused, unchanged

_ASSEMBLED: Final = "the configuration is assembled again"


def report_configuration(state: FleetState, command: ReportConfiguration) -> Verdict:
    """A process assembled a device's configuration, or could not."""
    identity = registered_in(state, command.device_id, command.namespace)
    if identity is None:
        return refused("not-found", f"device {command.device_id} is not registered in namespace {command.namespace}")
    if identity.configuration_problem == command.problem:
        return unchanged()
    if command.revision < identity.revision:
        # Assembled from an older state than one that was told of since: the process will look again.
        return unchanged("something newer was told already")
    new = msgspec.structs.replace(identity, configuration_problem=command.problem)
    return accepted(identity_change(new), events=(_event(command),))


def _event(command: ReportConfiguration) -> DeviceEvent:
    importance: Literal["info", "warn"] = "warn" if command.problem else "info"
    if not command.problem:
        reason = "ConfigurationAssembled"
    else:
        reason = "ConfigurationIncomplete" if command.is_assembled else "ConfigurationNotAssembled"
    return DeviceEvent(command.namespace, command.device_id, importance, reason, command.problem or _ASSEMBLED)
