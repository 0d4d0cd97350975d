"""The rows that follow from heartbeats, one type for each table of `storage/migrations/0002_heartbeats.sql`.

Fields stand in the order of the table's columns. `sequence` is the packed position (`fleet.position`); times are Unix
time in milliseconds; texts a device did not give are empty.
"""

from typing import NamedTuple


class HeartbeatRow(NamedTuple):
    """An accepted heartbeat. `body` is empty when the device said the same as before."""

    namespace: str
    device_id: str
    received_at_ms: int
    partition: int
    sequence: int
    status: str
    version: str
    wanted_version: str
    is_registered: bool
    is_repeat: bool
    is_changed: bool
    content_hash: int
    body: bytes


class DeviceTransitionRow(NamedTuple):
    """A heartbeat in which the device's status or version changed."""

    namespace: str
    device_id: str
    received_at_ms: int
    partition: int
    sequence: int
    status: str
    previous_status: str
    version: str
    previous_version: str


class WorkloadTransitionRow(NamedTuple):
    """A heartbeat in which a workload's status changed; new ones have no `previous_since_ms`."""

    namespace: str
    device_id: str
    workload: str
    received_at_ms: int
    partition: int
    sequence: int
    status: str
    previous_status: str
    previous_since_ms: int | None


class DeviceEventRow(NamedTuple):
    """An event of a device. `source` is `device`, or `muster` with a position in the commands topic."""

    namespace: str
    device_id: str
    received_at_ms: int
    source: str
    partition: int
    sequence: int
    event_index: int
    type: str
    reason: str
    message: str


class HardwareRow(NamedTuple):
    """All that is known of a device's hardware; `description` is `fleet.devices.hardware.encode_hardware`'s."""

    namespace: str
    device_id: str
    received_at_ms: int
    partition: int
    sequence: int
    hostname: str
    cpu_architecture: str
    cpu_model: str
    cpu_count: int
    memory_bytes: int
    manufacturer: str
    product: str
    serial_number: str
    description: bytes


class WorkloadRow(NamedTuple):
    """A workload as last reported; `removed` when it no longer is. `last_data_upload_ms` None is never."""

    namespace: str
    device_id: str
    workload: str
    received_at_ms: int
    partition: int
    sequence: int
    status: str
    since_ms: int
    last_data_upload_ms: int | None


class ContentRow(NamedTuple):
    """What a device said last, for the comparison with what it says next.

    The lists of workloads run in parallel, and so do those of playbooks.
    `received_at_ms` and `sequence` are those of the heartbeat that changed anything here, `content_hash` and
    `has_events` those of the newest heartbeat. `hardware_hashes` are of descriptions that bring nothing new.
    """

    namespace: str
    device_id: str
    received_at_ms: int
    partition: int
    sequence: int
    content_hash: int
    status: str
    status_since_ms: int
    version: str
    wanted_version: str
    drifted_since_ms: int | None
    upgrade_commit_id: str
    upgrade_status: str
    upgrade_time: str
    has_events: bool
    workload_names: list[str]
    workload_statuses: list[str]
    workload_since_ms: list[int]
    workload_uploads_ms: list[int | None]
    playbook_names: list[str]
    playbook_statuses: list[str]
    hardware_hashes: list[int]


class SeenRow(NamedTuple):
    """A device's last heartbeat; written after everything else of its batch."""

    namespace: str
    device_id: str
    received_at_ms: int
    partition: int
    sequence: int
