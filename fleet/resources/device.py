"""EdgeDevice and EdgeDeviceSet: the sections that configure a device, and when they are refused.

Sources: the definitions of edgedevices and edgedevicesets; CONTRACT.md “What a device's configuration is made of”.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from fleet.decisions.commands import JSONObject
from fleet.errors import InvalidResourceError
from fleet.resources.notes import Notes
from fleet.resources.shape import shape, unshape
from fleet.resources.structs import UNSET, Count, Int64, Name, PositiveInt32, Section, UnsetType

SHORTEST_PERIOD_S = 2
"""An equal heartbeat within 1.5 s counts as the Edge API trying again, so a real one must not come that soon."""

LONGEST_PERIOD_S = 366 * 24 * 3600
"""A year. Agents multiply by 10⁹ into 64 bits, and one that overflows stops beating."""

Timestamp = Annotated[
    str, Meta(pattern=r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$", max_length=64)
]
"""RFC 3339, as text."""


class NamedRef(Section):
    """Names a ConfigMap or a Secret of the same namespace."""

    name: Name


class HardwareProfile(Section):
    """Which hardware heartbeats carry."""

    include: bool | UnsetType = UNSET
    scope: Literal["full", "delta"] | UnsetType = UNSET


class Heartbeat(Section):
    """How a device beats; `period_seconds` is judged by `_check_period`, which says why."""

    period_seconds: Int64 | UnsetType = UNSET
    hardware_profile: HardwareProfile | UnsetType = UNSET


class SyslogTarget(Section):
    """A destination of logs."""

    kind: Literal["syslog"] | UnsetType = UNSET
    buffer_size: PositiveInt32 = 12
    syslog_config: NamedRef | UnsetType = UNSET


class ComponentMetrics(Section):
    """Scraping of one component of the device; `interval` in seconds."""

    interval: Count = 60
    allow_list: NamedRef | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET


class MetricsReceiver(Section):
    """Where the device sends its metrics."""

    url: str | UnsetType = UNSET
    ca_secret_name: str | UnsetType = UNSET
    request_num_samples: Int64 | UnsetType = UNSET
    timeout_seconds: Int64 | UnsetType = UNSET


class MetricsRetention(Section):
    """How much the device keeps of its metrics."""

    max_hours: Count | UnsetType = UNSET
    max_mib: Count | UnsetType = field(name="maxMiB", default=UNSET)


class Metrics(Section):
    """Metrics of the device itself."""

    data_transfer: ComponentMetrics | UnsetType = UNSET
    receiver_configuration: MetricsReceiver | UnsetType = UNSET
    retention: MetricsRetention | UnsetType = UNSET
    system: ComponentMetrics | UnsetType = UNSET


class Mount(Section):
    """A device path and where it is mounted."""

    device: str | UnsetType = UNSET
    folder: str | UnsetType = UNSET
    options: str | UnsetType = UNSET
    type: str | UnsetType = UNSET


class OsInformation(Section):
    """The image of the operating system."""

    automatically_upgrade: bool | UnsetType = UNSET
    commit_id: str | UnsetType = field(name="commitID", default=UNSET)
    hosted_objects_url: str | UnsetType = field(name="hostedObjectsURL", default=UNSET)


class S3(Section):
    """The bucket a device copies data to, by the resources that describe it."""

    config_map_name: str | UnsetType = UNSET
    create_obc: bool | UnsetType = field(name="createOBC", default=UNSET)
    secret_name: str | UnsetType = UNSET


class Storage(Section):
    """Where a device copies data to."""

    s3: S3 | UnsetType = UNSET


class EdgeDeviceSetSpec(Section):
    """The sections a set lays over its devices' own."""

    heartbeat: Heartbeat | UnsetType = UNSET
    log_collection: dict[str, SyslogTarget] | UnsetType = UNSET
    metrics: Metrics | UnsetType = UNSET
    mounts: list[Mount] | UnsetType = UNSET
    os_information: OsInformation | UnsetType = UNSET
    storage: Storage | UnsetType = UNSET


class EdgeDeviceSpec(EdgeDeviceSetSpec):
    """The same sections for one device, and when it asked to join."""

    request_time: Timestamp | UnsetType = UNSET


class EdgeDevice(Section):
    """One device of the fleet: how it is to be configured."""

    spec: EdgeDeviceSpec = field(default_factory=EdgeDeviceSpec)


class EdgeDeviceSet(Section):
    """Configuration that its members share: each section given here replaces the device's own."""

    spec: EdgeDeviceSetSpec = field(default_factory=EdgeDeviceSetSpec)


def read_edge_device(content: JSONObject, notes: Notes) -> JSONObject:
    """An EdgeDevice without metadata and status. Raises InvalidResourceError."""
    device = shape(content, EdgeDevice, notes)
    _check_sections(device.spec, notes)
    return unshape(device)


def read_edge_device_set(content: JSONObject, notes: Notes) -> JSONObject:
    """An EdgeDeviceSet without metadata and status. Raises InvalidResourceError."""
    device_set = shape(content, EdgeDeviceSet, notes)
    _check_sections(device_set.spec, notes)
    return unshape(device_set)


def _check_sections(spec: EdgeDeviceSetSpec, notes: Notes) -> None:
    if spec.heartbeat is not UNSET and spec.heartbeat.period_seconds is not UNSET:
        _check_period(spec.heartbeat.period_seconds)
    s3 = (spec.storage or Storage()).s3 or S3()
    if s3.create_obc and not (s3.secret_name or s3.config_map_name):
        notes.warn("spec.storage.s3.createOBC: nothing here makes buckets; name a Secret and a ConfigMap of one")


def _check_period(period_s: int) -> None:
    field_path = "spec.heartbeat.periodSeconds"
    if period_s < SHORTEST_PERIOD_S:
        raise InvalidResourceError(
            f"{field_path} is {period_s}: write {SHORTEST_PERIOD_S} or more; an equal heartbeat that comes "
            "sooner counts as the last one sent again",
            field_path,
        )
    if period_s > LONGEST_PERIOD_S:
        raise InvalidResourceError(f"{field_path} is {period_s}: write {LONGEST_PERIOD_S} (a year) or less", field_path)
