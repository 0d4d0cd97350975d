"""The status of an EdgeWorkload, as it is explained; the definition of edgeworkloads gives its status no field.

It is never written: `fleet.devices.reported_status` makes it of what devices report.
"""

from fleet.resources.structs import UNSET, Section, UnsetType


class EdgeWorkloadStatus(Section):
    """How many devices report it, and how many of them say what of it."""

    devices: int | UnsetType = UNSET
    phases: dict[str, int] | UnsetType = UNSET
