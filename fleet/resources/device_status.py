"""The status of an EdgeDevice, as it is explained: what the definition of edgedevices names, and what Muster adds.

It is never written: `fleet.devices.reported_status` makes it of what the device reports.
"""

from msgspec import field

from fleet.resources.hardware import Hardware
from fleet.resources.status import ConditionStatus
from fleet.resources.structs import UNSET, Section, UnsetType


class UpgradeInformation(Section):
    """The operating system's image."""

    current_commit_id: str = field(name="currentCommitID")
    last_upgrade_status: str | UnsetType = UNSET
    last_upgrade_time: str | UnsetType = UNSET


class DeviceWorkload(Section):
    """A workload as the device reported it last."""

    name: str
    last_data_upload: str | UnsetType = UNSET
    last_transition_time: str | UnsetType = UNSET
    phase: str | UnsetType = UNSET


class PlaybookExec(Section):
    """A playbook that ran on the device."""

    name: str
    playbook_execution_status: ConditionStatus | UnsetType = field(name="PlaybookExecutionStatus", default=UNSET)


class EdgeDeviceStatus(Section):
    """What the device reported last, and where it stands."""

    state: str | UnsetType = UNSET
    phase: str | UnsetType = UNSET
    last_seen_time: str | UnsetType = UNSET
    last_synced_resource_version: str | UnsetType = UNSET
    wanted_version: str | UnsetType = UNSET
    drifted_since: str | UnsetType = UNSET
    workloads: list[DeviceWorkload] | UnsetType = UNSET
    upgrade_information: UpgradeInformation | UnsetType = UNSET
    hardware: Hardware | UnsetType = UNSET
    playbook_exec: list[PlaybookExec] | UnsetType = field(name="PlaybookExec", default=UNSET)
    data_obc: str | UnsetType = UNSET
