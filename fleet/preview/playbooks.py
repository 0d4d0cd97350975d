"""Which devices of a namespace would be told to run a playbook that they are not told to run now."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from fleet.decisions.commands import ResourceKey
from fleet.decisions.planned_state import Changed
from fleet.decisions.playbooks import EXECUTION_KIND, executions
from fleet.decisions.signed_request import DEVICE_KIND
from fleet.decisions.state import FleetState
from fleet.devices.states import DeviceState
from fleet.preview.result import Devices

MATTER_TO_PLAYBOOKS: Final = frozenset({"EdgeConfig", EXECUTION_KIND})

_LABELLED: Final = b'"config/'
"""In the JSON of every device that an EdgeConfig can apply to."""


def count_playbooks(
    before: FleetState,
    after: FleetState,
    namespace: str,
    changed: Iterable[Changed],
    *,
    own: set[str],
    devices: Devices,
) -> Iterator[None]:
    """Count into `devices.playbooks`; `own` devices change themselves. Yields after each device."""
    is_any = any(each.key.kind in MATTER_TO_PLAYBOOKS for each in changed)
    for device_id in list(before.resources(DEVICE_KIND, namespace)) if is_any else list(own):
        served = _served(after, namespace, device_id)
        if served:
            known = _served(before, namespace, device_id)
            devices.playbooks += any(each not in known for each in served)
        yield


def _served(state: FleetState, namespace: str, device_id: str) -> list[tuple[str, Any]]:
    """The playbooks a registered device is told to run."""
    held = state.get(ResourceKey(DEVICE_KIND, namespace, device_id))
    identity = state.identities.get(device_id)
    if held is None or identity is None or identity.state is not DeviceState.REGISTERED or _LABELLED not in held.json:
        return []
    return [(each.key.name, each.playbook) for each in executions(state, held.body) if not each.is_finished]
