"""Labels a device earns by its hardware, and those of its operator."""

import json
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fleet.devices.hardware import NO_HARDWARE, Cpu, Hardware, SystemVendor
from fleet.devices.labels import device_set_name, effective_labels, hardware_labels, label_value
from fleet.names import check_label_key, check_label_value


def test_all_six_labels_come_from_hardware(samples: Path) -> None:
    """The names of the contract, values in label syntax."""
    message = json.loads((samples / "registration-message.json").read_bytes())
    labels = hardware_labels(msgspec.convert(message["Message"]["content"]["hardware"], Hardware))
    assert labels == {
        "device.hostname": "edge-7.example.com",
        "device.cpu-architecture": "x86_64",
        "device.cpu-model": "intelrcoretmi7-6820hqcpu2.70ghz",
        "device.system-manufacturer": "lenovo",
        "device.system-product": "20eqs64n0r",
        "device.system-serial": "sn-0001",
    }
    for key in labels:
        check_label_key(key)


def test_what_was_not_sent_has_no_label() -> None:
    """Later heartbeats leave most hardware out: its labels are not reset by that."""
    assert hardware_labels(NO_HARDWARE) == {}
    sparse = Hardware(hostname="h", cpu=Cpu(), system_vendor=SystemVendor(serial_number="---"))
    assert hardware_labels(sparse) == {"device.hostname": "h"}


@given(st.text(max_size=200))
def test_any_text_becomes_a_label_value(text: str) -> None:
    """Whatever a device claims, its label is one Kubernetes would take."""
    check_label_value(label_value(text))


def test_long_text_is_cut_to_a_valid_value() -> None:
    """A cut never leaves a dash at the end."""
    assert label_value("a" * 62 + "-" + "b" * 10) == "a" * 62


def test_operators_label_wins_over_hardware() -> None:
    """A device cannot claim its way past what an operator said."""
    labels = effective_labels({"device.hostname": "given", "dc": "home"}, {"device.hostname": "claimed"})
    assert labels == {"device.hostname": "given", "dc": "home"}


def test_set_is_named_by_a_label() -> None:
    """Without the label, or with an empty one, a device is in no set."""
    assert device_set_name({"flotta/member-of": "kiosks"}) == "kiosks"
    assert device_set_name({"flotta/member-of": ""}) is None
    assert device_set_name({}) is None
