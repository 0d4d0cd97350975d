"""What an enrolment says of its device is kept as far as it helps to recognise it, and no further."""

from typing import Any

import msgspec

from fleet.devices.enrolment_features import INTERFACES_LIMIT, TEXT_LIMIT, enrolment_features
from fleet.devices.registration import Features
from fleet.resources import KINDS, validate


def features(**hardware: Any) -> Features:
    """Features as a device sends them."""
    return msgspec.convert({"modelName": "m", "hardware": hardware}, Features)


def test_nothing_said_is_nothing_kept() -> None:
    """An enrolment may be empty."""
    assert enrolment_features(None) == {}
    assert enrolment_features(Features()) == {}


def test_what_recognises_a_device_is_kept() -> None:
    """Names, maker, serial number, hardware addresses."""
    kept = enrolment_features(
        features(
            hostname="h",
            system_vendor={"manufacturer": "Acme", "serial_number": "s1", "virtual": False},
            cpu={"architecture": "x86_64", "count": 8, "flags": ["fpu"] * 100},
            interfaces=[None, {"name": "eth0", "mac_address": "aa:bb", "ipv4_addresses": ["10.0.0.1"]}],
        )
    )
    assert kept["modelName"] == "m"
    hardware = kept["hardware"]
    assert hardware["systemVendor"] == {"manufacturer": "Acme", "serialNumber": "s1", "virtual": False}
    assert hardware["cpu"] == {"flags": [], "architecture": "x86_64", "count": 8}
    assert hardware["interfaces"] == [{"flags": [], "name": "eth0", "macAddress": "aa:bb"}]


def test_it_is_bounded_whatever_is_sent() -> None:
    """Texts are cut and lists end early."""
    kept = enrolment_features(features(hostname="h" * 10_000, interfaces=[{"name": "e" * 10_000}] * 1000))
    assert len(kept["hardware"]["hostname"]) == TEXT_LIMIT
    assert len(kept["hardware"]["interfaces"]) == INTERFACES_LIMIT
    assert len(msgspec.json.encode(kept)) < 2000


def test_an_operator_can_write_the_request_back() -> None:
    """What is kept is valid in a signed request."""
    spec = {"targetNamespace": "default", "features": enrolment_features(features(hostname="h", cpu={"flags": None}))}
    kind = KINDS["EdgeDeviceSignedRequest"]
    written = validate(
        kind, {"metadata": {"name": "d1", "namespace": "default"}, "spec": spec}, unknown_fields="strict"
    )
    assert written.body["spec"]["features"] == spec["features"]
