"""Labels of a device: those an operator gave it and those its hardware earns it.

A device claims its hardware, so an operator's label always wins. Source: CONTRACT.md “Hardware labels” and “Ids and
namespaces come from the attacker”.
"""

import re
from collections.abc import Mapping

from fleet.devices.hardware import Hardware
from fleet.names import LABEL_LIMIT

MEMBER_OF = "flotta/member-of"
"""The label that names a device's EdgeDeviceSet."""

_FOREIGN = re.compile(r"[^a-z0-9_.-]+")


def hardware_labels(hardware: Hardware) -> dict[str, str]:
    """The `device.*` labels of the parts that were sent; what was not sent, or leaves no character, has none."""
    cpu, vendor = hardware.cpu, hardware.system_vendor
    claims = {
        "device.hostname": hardware.hostname,
        "device.cpu-architecture": cpu.architecture if cpu else None,
        "device.cpu-model": cpu.model_name if cpu else None,
        "device.system-manufacturer": vendor.manufacturer if vendor else None,
        "device.system-product": vendor.product_name if vendor else None,
        "device.system-serial": vendor.serial_number if vendor else None,
    }
    normalised = {key: label_value(claim) for key, claim in claims.items() if claim}
    return {key: value for key, value in normalised.items() if value}


def effective_labels(operator: Mapping[str, str], hardware: Mapping[str, str]) -> dict[str, str]:
    """The labels that take part in selection."""
    return {**hardware, **operator}


def device_set_name(labels: Mapping[str, str]) -> str | None:
    """The set a device is a member of, if any. The set need not exist."""
    return labels.get(MEMBER_OF) or None


def label_value(text: str) -> str:
    """Text in lower case without what a label's value cannot hold, as Flotta's operator writes it; may be empty."""
    return _FOREIGN.sub("", text.lower()).strip("-_.")[:LABEL_LIMIT].rstrip("-_.")
