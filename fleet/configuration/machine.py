"""Sections `os` and `mounts`: handed on as given, in the spelling of the device's side."""

from fleet.decisions.commands import JSONObject
from fleet.resources.device import Mount, OsInformation
from fleet.resources.structs import UNSET, UnsetType


def os_section(os_information: OsInformation | UnsetType) -> JSONObject | None:
    """The image the device should run; None leaves the section out."""
    if os_information is UNSET:
        return None
    return _given(
        {
            "automatically_upgrade": os_information.automatically_upgrade,
            "commit_id": os_information.commit_id,
            "hosted_objects_url": os_information.hosted_objects_url,
        }
    )


def mounts_section(mounts: list[Mount] | UnsetType) -> list[JSONObject]:
    """What the device mounts, in the order given: a mount may lie within another."""
    return [
        _given({"device": mount.device, "directory": mount.folder, "type": mount.type, "options": mount.options})
        for mount in mounts or []
    ]


def _given(fields: dict[str, str | bool | UnsetType]) -> JSONObject:
    return {name: value for name, value in fields.items() if value is not UNSET}
