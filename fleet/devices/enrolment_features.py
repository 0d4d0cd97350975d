"""What an enrolment leaves in its signed request: enough for an operator to recognise the device, and bounded.

Anyone may enrol any id with a megabyte of hardware, which would then stand in the command log, in every process's
memory and in the database. So texts are cut and lists left out but for the first network interfaces. Field names are
those of the EdgeDeviceSignedRequest's definition (`spec.features`).
"""

from typing import Final

from fleet.decisions.commands import JSONObject
from fleet.devices.hardware import Hardware, Interface
from fleet.devices.registration import Features

TEXT_LIMIT: Final = 128
"""Characters kept of each text."""

INTERFACES_LIMIT: Final = 4
"""Network interfaces kept: their hardware addresses are what stands on a device's label."""


def enrolment_features(features: Features | None) -> JSONObject:
    """`spec.features` of the signed request."""
    if features is None:
        return {}
    kept = _texts({"modelName": features.model_name})
    if features.hardware is not None:
        kept["hardware"] = _hardware(features.hardware)
    return kept


def _hardware(hardware: Hardware) -> JSONObject:
    kept: JSONObject = _texts({"hostname": hardware.hostname})
    # The definition requires these three.
    kept |= {"disks": [], "gpus": [], "interfaces": [_interface(one) for one in _first(hardware.interfaces)]}
    if boot := hardware.boot:
        kept["boot"] = _texts({"currentBootMode": boot.current_boot_mode})
    if cpu := hardware.cpu:
        kept["cpu"] = {"flags": []} | _texts({"architecture": cpu.architecture, "modelName": cpu.model_name})
        kept["cpu"] |= {} if cpu.count is None else {"count": cpu.count}
    if vendor := hardware.system_vendor:
        kept["systemVendor"] = _texts(
            {
                "manufacturer": vendor.manufacturer,
                "productName": vendor.product_name,
                "serialNumber": vendor.serial_number,
            }
        )
        kept["systemVendor"] |= {} if vendor.virtual is None else {"virtual": vendor.virtual}
    if memory := hardware.memory:
        kept["memory"] = {} if memory.physical_bytes is None else {"physicalBytes": memory.physical_bytes}
    return kept


def _first(interfaces: list[Interface | None] | None) -> list[Interface]:
    return [interface for interface in interfaces or [] if interface is not None][:INTERFACES_LIMIT]


def _interface(interface: Interface) -> JSONObject:
    return {"flags": []} | _texts({"name": interface.name, "macAddress": interface.mac_address})


def _texts(texts: dict[str, str | None]) -> JSONObject:
    return {name: text[:TEXT_LIMIT] for name, text in texts.items() if text}
