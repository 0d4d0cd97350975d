"""What a simulated device is made of: seeded hardware of 10 to 17 kB, as agents send it when they start.

Field names are those of `hardware-info` in contract/swagger.yaml; keys are in alphabetical order, as the Edge API
encodes them.
"""

import random
from typing import Any, NamedTuple

import orjson


class Model(NamedTuple):
    """A kind of machine that stands at the edge."""

    manufacturer: str
    product: str
    architecture: str
    cpu: str
    cores: int
    frequency_mhz: float
    memory_gib: int
    disk: str
    disk_type: str
    flags: str


_X86_FLAGS = (
    "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush dts acpi mmx fxsr sse sse2 ss ht "
    "tm pbe syscall nx pdpe1gb rdtscp lm constant_tsc arch_perfmon pebs bts rep_good nopl xtopology nonstop_tsc cpuid "
    "aperfmperf pni pclmulqdq dtes64 monitor ds_cpl vmx est tm2 ssse3 sdbg fma cx16 xtpr pdcm sse4_1 sse4_2 x2apic "
    "movbe popcnt tsc_deadline_timer aes xsave avx f16c rdrand lahf_lm abm 3dnowprefetch cpuid_fault epb ssbd ibrs "
    "ibpb stibp tpr_shadow vnmi flexpriority ept vpid ept_ad fsgsbase tsc_adjust bmi1 avx2 smep bmi2 erms invpcid "
    "mpx rdseed adx smap clflushopt intel_pt sha_ni xsaveopt xsavec xgetbv1 xsaves dtherm ida arat pln pts md_clear"
)
_ARM_FLAGS = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"

MODELS = (
    Model(
        "Dell Inc.", "Edge Gateway 5200", "x86_64", "Intel(R) Core(TM) i5-9500TE CPU @ 2.20GHz", 6, 2200.0, 16,
        "MICRON 2300 NVMe 512GB", "SSD", _X86_FLAGS,
    ),
    Model(
        "ADVANTECH", "UNO-2484G", "x86_64", "Intel(R) Core(TM) i7-7600U CPU @ 2.80GHz", 4, 2800.0, 8,
        "SQFlash 2.5 SSD 256GB", "SSD", _X86_FLAGS,
    ),
    Model(
        "Supermicro", "SYS-E100-9W", "x86_64", "Intel(R) Atom(TM) Processor E3950 @ 1.60GHz", 4, 1600.0, 8,
        "ST1000LM048-2E7172", "HDD", _X86_FLAGS,
    ),
    Model(
        "NVIDIA", "Jetson Xavier NX", "aarch64", "ARMv8 Processor rev 0 (v8l)", 6, 1900.0, 8,
        "SD64G", "SSD", _ARM_FLAGS,
    ),
)  # fmt: skip

_GIB = 1 << 30


def full_hardware(seed: int, index: int) -> dict[str, Any]:
    """Everything a device of this fleet is made of: the same for the same seed and index."""
    random_ = random.Random(f"hardware/{seed}/{index}")  # noqa: S311 - contents of a simulation
    model = MODELS[random_.randrange(len(MODELS))]
    volumes = random_.randint(14, 18)
    return {
        "boot": {"current_boot_mode": random_.choice(("bios", "uefi"))},
        "cpu": {
            "architecture": model.architecture,
            "count": model.cores,
            "flags": model.flags.split(),
            "frequency": model.frequency_mhz,
            "model_name": model.cpu,
        },
        "disks": [_disk(model, index)] + [_volume(number, random_) for number in range(volumes)],
        "gpus": [],
        "host_devices": [_host_device(number) for number in range(random_.randint(24, 48))],
        "hostname": hostname(index),
        "interfaces": _interfaces(index, random_),
        "memory": {
            "physical_bytes": model.memory_gib * _GIB,
            "usable_bytes": model.memory_gib * _GIB - random_.randrange(1 << 20, 1 << 28, 4096),
        },
        "mounts": _mounts(random_.randint(2, 5)),
        "system_vendor": {
            "manufacturer": model.manufacturer,
            "product_name": model.product,
            "serial_number": f"SIM{seed:04d}{index:08d}",
            "virtual": False,
        },
    }


def passing_hardware(hardware: dict[str, Any]) -> dict[str, Any]:
    """What a current agent repeats in every heartbeat: hostname, interfaces and mounts, and null for the rest."""
    return {
        "disks": None,
        "gpus": None,
        "host_devices": None,
        "hostname": hardware["hostname"],
        "interfaces": hardware["interfaces"],
        "mounts": hardware["mounts"],
    }


def hostname(index: int) -> str:
    """The device's name in its own network."""
    return f"edge-{index}.example.com"


def _disk(model: Model, index: int) -> dict[str, Any]:
    serial = f"S{index:09d}"
    smart = {
        "json_format_version": [1, 0],
        "smartctl": {"version": [7, 2], "argv": ["smartctl", "--xall", "--json=c", "/dev/nvme0n1"], "exit_status": 0},
        "device": {"name": "/dev/nvme0n1", "info_name": "/dev/nvme0n1", "type": "nvme", "protocol": "NVMe"},
        "model_name": model.disk,
        "serial_number": serial,
        "smart_status": {"passed": True},
        "power_on_time": {"hours": 1000 + index % 20_000},
        "temperature": {"current": 20 + index % 40},
    }
    return {
        "bootable": True,
        "by_id": f"/dev/disk/by-id/nvme-{serial}",
        "by_path": "/dev/disk/by-path/pci-0000:3e:00.0-nvme-1",
        "drive_type": model.disk_type,
        "id": f"/dev/disk/by-id/nvme-{serial}",
        "model": model.disk,
        "name": "nvme0n1",
        "path": "/dev/nvme0n1",
        "serial": serial,
        "size_bytes": 512_110_190_592,
        "smart": orjson.dumps(smart).decode(),
        "wwn": f"eui.{index:016x}",
    }


def _volume(number: int, random_: random.Random) -> dict[str, Any]:
    path = f"/dev/dm-{number}"
    smart = {
        "json_format_version": [1, 0],
        "smartctl": {
            "version": [7, 2],
            "platform_info": "x86_64-linux-5.14.0-427.el9.x86_64",
            "build_info": "(local build)",
            "argv": ["smartctl", "--xall", "--json=c", path],
            "messages": [{"string": f"{path}: Unable to detect device type", "severity": "error"}],
            "exit_status": 1,
        },
    }
    return {
        "drive_type": "SSD",
        "id": path,
        "name": f"dm-{number}",
        "path": path,
        "size_bytes": random_.randrange(1, 400) * _GIB,
        "smart": orjson.dumps(smart).decode(),
    }


def _host_device(number: int) -> dict[str, Any]:
    return {
        "device_type": "char",
        "gid": 5,
        "major": 4,
        "minor": number,
        "path": f"/dev/tty{number}",
        "uid": 0,
    }


def _interfaces(index: int, random_: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "flags": ["up", "broadcast", "multicast"],
            "has_carrier": True,
            "ipv4_addresses": [f"10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}/8"],
            "ipv6_addresses": [],
            "mac_address": f"52:54:{number:02x}:{index >> 16 & 255:02x}:{index >> 8 & 255:02x}:{index & 255:02x}",
            "mtu": 1500,
            "name": f"enp{number}s0",
            "product": "0x1533",
            "speed_mbps": 1000,
            "vendor": "0x8086",
        }
        for number in range(random_.randint(1, 3))
    ]


def _mounts(count: int) -> list[dict[str, Any]]:
    return [
        {
            "device": f"/dev/mapper/edge-volume{number}",
            "directory": f"/var/lib/containers/volumes/volume{number}",
            "options": "rw,relatime,seclabel,attr2,inode64,logbufs=8,logbsize=32k,noquota",
            "type": "xfs",
        }
        for number in range(count)
    ]
