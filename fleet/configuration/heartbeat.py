"""Section `heartbeat`: always there, with a period and a hardware profile, since an agent crashes without either."""

from fleet.decisions.commands import JSONObject
from fleet.resources.device import Heartbeat
from fleet.resources.structs import UNSET, UnsetType

DEFAULT_PERIOD_S = 60


def heartbeat_section(heartbeat: Heartbeat | UnsetType) -> JSONObject:
    """How the device beats."""
    section: JSONObject = {"period_seconds": DEFAULT_PERIOD_S, "hardware_profile": {}}
    if heartbeat is UNSET:
        return section
    if heartbeat.period_seconds is not UNSET:
        section["period_seconds"] = heartbeat.period_seconds
    if heartbeat.hardware_profile is not UNSET:
        profile = heartbeat.hardware_profile
        given = {"include": profile.include, "scope": profile.scope}
        section["hardware_profile"] = {name: value for name, value in given.items() if value is not UNSET}
    return section
