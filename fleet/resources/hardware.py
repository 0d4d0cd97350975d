"""Hardware as the definitions of edgedevices and edgedevicesignedrequest spell it: what a device told of itself."""

from fleet.resources.structs import UNSET, Int32, Int64, Section, UnsetType


class Boot(Section):
    """How the machine started."""

    current_boot_mode: str | UnsetType = UNSET
    pxe_interface: str | UnsetType = UNSET


class Cpu(Section):
    """The processor."""

    flags: list[str]
    architecture: str | UnsetType = UNSET
    count: Int64 | UnsetType = UNSET
    frequency: str | UnsetType = UNSET
    model_name: str | UnsetType = UNSET


class IoPerf(Section):
    """How fast a disk is."""

    sync_duration: Int64 | UnsetType = UNSET


class Disk(Section):
    """A disk."""

    bootable: bool | UnsetType = UNSET
    by_id: str | UnsetType = UNSET
    by_path: str | UnsetType = UNSET
    drive_type: str | UnsetType = UNSET
    hctl: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    io_perf: IoPerf | UnsetType = UNSET
    is_installation_media: bool | UnsetType = UNSET
    model: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    path: str | UnsetType = UNSET
    serial: str | UnsetType = UNSET
    size_bytes: Int64 | UnsetType = UNSET
    smart: str | UnsetType = UNSET
    vendor: str | UnsetType = UNSET
    wwn: str | UnsetType = UNSET


class Gpu(Section):
    """A graphics processor."""

    address: str | UnsetType = UNSET
    device_id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    vendor: str | UnsetType = UNSET
    vendor_id: str | UnsetType = UNSET


class HostDevice(Section):
    """A file under /dev."""

    device_type: str | UnsetType = UNSET
    group: Int32 | UnsetType = UNSET
    major: Int32 | UnsetType = UNSET
    minor: Int32 | UnsetType = UNSET
    owner: Int32 | UnsetType = UNSET
    path: str | UnsetType = UNSET


class Interface(Section):
    """A network interface."""

    flags: list[str]
    biosdevname: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    has_carrier: bool | UnsetType = UNSET
    ipv4_addresses: list[str] | UnsetType = UNSET
    ipv6_addresses: list[str] | UnsetType = UNSET
    mac_address: str | UnsetType = UNSET
    mtu: Int64 | UnsetType = UNSET
    name: str | UnsetType = UNSET
    product: str | UnsetType = UNSET
    speed_mbps: Int64 | UnsetType = UNSET
    vendor: str | UnsetType = UNSET


class Memory(Section):
    """Sizes in bytes."""

    physical_bytes: Int64 | UnsetType = UNSET
    usable_bytes: Int64 | UnsetType = UNSET


class HardwareMount(Section):
    """A mounted file system."""

    device: str | UnsetType = UNSET
    folder: str | UnsetType = UNSET
    options: str | UnsetType = UNSET
    type: str | UnsetType = UNSET


class SystemVendor(Section):
    """Who made the machine."""

    manufacturer: str | UnsetType = UNSET
    product_name: str | UnsetType = UNSET
    serial_number: str | UnsetType = UNSET
    virtual: bool | UnsetType = UNSET


class Hardware(Section):
    """A device's machine."""

    disks: list[Disk]
    gpus: list[Gpu]
    interfaces: list[Interface]
    boot: Boot | UnsetType = UNSET
    cpu: Cpu | UnsetType = UNSET
    host_devices: list[HostDevice] | UnsetType = UNSET
    hostname: str | UnsetType = UNSET
    memory: Memory | UnsetType = UNSET
    mounts: list[HardwareMount] | UnsetType = UNSET
    system_vendor: SystemVendor | UnsetType = UNSET
