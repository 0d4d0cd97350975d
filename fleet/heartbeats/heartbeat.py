"""Reads a heartbeat as liberally as the contract asks: what the Edge API or another gateway may send is accepted.

Lists may be null, absent, empty or hold nulls; statuses may be spelt in any way or miss; unknown fields are skipped.
Refused is only what cannot be read: not JSON, not an object, a known field of another type (`contract/swagger.yaml`,
`heartbeat`).
"""

from typing import Any, Final

import msgspec
from msgspec import Struct, field
from xxhash import xxh3_64_intdigest

from fleet.devices.hardware import Hardware
from fleet.devices.json_bodies import read_object
from fleet.errors import BadInputError


class WorkloadReport(Struct, frozen=True, gc=False):
    """A workload on the device. `last_data_upload` is RFC 3339 text; Go's zero time means never."""

    name: str | None = None
    last_data_upload: str | None = None
    status: str | None = None


class PlaybookReport(Struct, frozen=True, gc=False):
    """A playbook execution on the device."""

    name: str | None = None
    last_data_upload: str | None = None
    status: str | None = None


class UpgradeReport(Struct, frozen=True, gc=False):
    """The operating system's image and its last upgrade; `last_upgrade_time` is text in the device's own spelling."""

    current_commit_id: str | None = field(default=None, name="current_commit_ID")
    last_upgrade_status: str | None = None
    last_upgrade_time: str | None = None


class EventReport(Struct, frozen=True, gc=False):
    """Something that happened on the device; `type` is `info` or `warn`."""

    type: str | None = None
    reason: str | None = None
    message: str | None = None


class _Said(Struct, frozen=True, gc=False):
    status: str | None = None
    version: str | None = None
    workloads: list[WorkloadReport | None] | None = None
    playbook_executions: list[PlaybookReport | None] | None = field(default=None, name="playbook-executions")
    upgrade: UpgradeReport | None = None
    events: list[EventReport | None] | None = None


class Heartbeat(_Said, frozen=True, gc=False):
    """One heartbeat as sent. `version` is that of the configuration the device runs.

    `time` is what the device takes for the time, whatever it looks like; nothing follows from it.
    """

    hardware: Hardware | None = None
    time: Any = None


class Report(_Said, frozen=True, gc=False):
    """A heartbeat without a look into its hardware, which most describe as they did before."""

    hardware: msgspec.Raw = msgspec.Raw()


class _WithHardware(Struct, frozen=True):
    hardware: Hardware | None = None


_decoder = msgspec.json.Decoder(Heartbeat)
_report_decoder = msgspec.json.Decoder(Report)
_hardware_decoder = msgspec.json.Decoder(_WithHardware)


def read_heartbeat(body: bytes) -> Heartbeat:
    """Decode and thereby validate a heartbeat. Raises BadInputError, saying where, and nothing else."""
    return read_object(_decoder, body, "heartbeat")


def read_report(body: bytes) -> Report:
    """As `read_heartbeat`, of all but the hardware."""
    return read_object(_report_decoder, body, "heartbeat")


def read_hardware(body: bytes) -> Hardware | None:
    """As `read_heartbeat`, of the hardware alone."""
    return read_object(_hardware_decoder, body, "heartbeat").hardware


def content_hash(body: bytes, heartbeat: Heartbeat) -> int:
    """64 bits that are equal when a device says the same again: xxh3-64 of the bytes, leaving out its `time`.

    The Edge API drops `time`, so nearly always these are the bytes as they are; where `time` was read from the body,
    the rest is encoded anew, so that white space does not matter. Raises BadInputError for what is nested too deeply.
    """
    if heartbeat.time is None:
        return xxh3_64_intdigest(body)
    content = read_object(_any_decoder, body, "heartbeat")
    content.pop("time", None)
    try:
        return xxh3_64_intdigest(msgspec.json.encode(content))
    except RecursionError:
        raise BadInputError("the heartbeat is nested too deeply") from None


def hardware_hash(body: bytes) -> int:
    """64 bits that are equal when a heartbeat describes its hardware in the same bytes; 0 if it does not.

    Also 0 for what cannot be read: nothing follows from that.
    """
    if b'"hardware"' not in body and b"\\u" not in body:
        return 0
    try:
        return description_hash(_described_decoder.decode(body).hardware)
    except (msgspec.DecodeError, RecursionError):
        return 0


def description_hash(described: msgspec.Raw) -> int:
    """As `hardware_hash`, of a report's hardware."""
    text = bytes(described)
    return xxh3_64_intdigest(text) if text not in _NOT_DESCRIBED else 0


class _Described(Struct, frozen=True):
    hardware: msgspec.Raw = msgspec.Raw()


_NOT_DESCRIBED: Final = {b"", b"null"}

_described_decoder = msgspec.json.Decoder(_Described)

_any_decoder = msgspec.json.Decoder(dict[str, object])
