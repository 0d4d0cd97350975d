"""The hardware of a device as `hardware-info` of the contract's swagger.yaml spells it, and how descriptions add up.

Only an agent's first heartbeat describes all of it; later ones carry hostname, interfaces and mounts, the rest null.
So null or absent means “not sent”, never “gone”, while an empty list was sent and says that there are none.
"""

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

# What Go's int64 and ClickHouse's Int64 can hold: a larger number is a wrong type, not something to store.
Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Texts = list[str | None]


class Interface(Struct, frozen=True, omit_defaults=True):
    """A network interface."""

    ipv6_addresses: Texts | None = None
    vendor: str | None = None
    name: str | None = None
    has_carrier: bool | None = None
    product: str | None = None
    mtu: Integer | None = None
    ipv4_addresses: Texts | None = None
    biosdevname: str | None = None
    client_id: str | None = None
    mac_address: str | None = None
    flags: Texts | None = None
    speed_mbps: Integer | None = None


class IoPerformance(Struct, frozen=True, omit_defaults=True):
    """`sync_duration`: 99th percentile of fsync in milliseconds."""

    sync_duration: Integer | None = None


class Disk(Struct, frozen=True, omit_defaults=True):
    """A block device."""

    id: str | None = None
    drive_type: str | None = None
    vendor: str | None = None
    name: str | None = None
    path: str | None = None
    hctl: str | None = None
    by_path: str | None = None
    by_id: str | None = None
    model: str | None = None
    wwn: str | None = None
    serial: str | None = None
    size_bytes: Integer | None = None
    bootable: bool | None = None
    is_installation_media: bool | None = None
    smart: str | None = None
    io_perf: IoPerformance | None = None


class Boot(Struct, frozen=True, omit_defaults=True):
    """How the machine booted."""

    current_boot_mode: str | None = None
    pxe_interface: str | None = None


class SystemVendor(Struct, frozen=True, omit_defaults=True):
    """Who made the machine."""

    serial_number: str | None = None
    product_name: str | None = None
    manufacturer: str | None = None
    virtual: bool | None = None


class Memory(Struct, frozen=True, omit_defaults=True):
    """Sizes in bytes."""

    physical_bytes: Integer | None = None
    usable_bytes: Integer | None = None


class Cpu(Struct, frozen=True, omit_defaults=True):
    """`frequency` in MHz."""

    count: Integer | None = None
    frequency: float | None = None
    flags: Texts | None = None
    model_name: str | None = None
    architecture: str | None = None


class Gpu(Struct, frozen=True, omit_defaults=True):
    """A graphics processor."""

    vendor: str | None = None
    vendor_id: str | None = None
    device_id: str | None = None
    name: str | None = None
    address: str | None = None


class HostDevice(Struct, frozen=True, omit_defaults=True):
    """A file under /dev."""

    path: str | None = None
    device_type: str | None = None
    uid: Integer | None = None
    gid: Integer | None = None
    major: Integer | None = None
    minor: Integer | None = None


class Mount(Struct, frozen=True, omit_defaults=True):
    """A mounted file system."""

    device: str | None = None
    directory: str | None = None
    type: str | None = None
    options: str | None = None


class Hardware(Struct, frozen=True, omit_defaults=True):
    """What a device says about its machine; None is “not sent”."""

    hostname: str | None = None
    interfaces: list[Interface | None] | None = None
    disks: list[Disk | None] | None = None
    boot: Boot | None = None
    system_vendor: SystemVendor | None = None
    memory: Memory | None = None
    cpu: Cpu | None = None
    gpus: list[Gpu | None] | None = None
    host_devices: list[HostDevice | None] | None = None
    mounts: list[Mount | None] | None = None


NO_HARDWARE = Hardware()


def merge_hardware(known: Hardware, sent: Hardware) -> Hardware:
    """What is known after `sent`, whose parts replace those known: lists as a whole, objects field by field."""
    return _merge(known, sent)


def encode_hardware(hardware: Hardware) -> bytes:
    """JSON with the contract's names, without what is not known."""
    return _encode(hardware)


def decode_hardware(text: bytes | str) -> Hardware:
    """What `encode_hardware` wrote. Raises msgspec.DecodeError on anything else."""
    return _decode(text)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Hardware).decode
_Part = TypeVar("_Part", Hardware, Boot, SystemVendor, Memory, Cpu)


def _merge(known: _Part, sent: _Part) -> _Part:
    changes = {}
    for name in sent.__struct_fields__:
        value = getattr(sent, name)
        if value is None:
            continue
        before = getattr(known, name)
        changes[name] = _merge(before, value) if isinstance(value, Struct) and before is not None else value
    return msgspec.structs.replace(known, **changes) if changes else known
