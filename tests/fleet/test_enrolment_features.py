"""What an enrolment says of its device is kept as far as it helps to recognise it, and no further."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

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


OPTIONAL_TEXT = st.none() | st.text(max_size=200)
OPTIONAL_NUMBER = st.none() | st.integers(-(2**63), 2**63 - 1)


@given(
    hardware=st.fixed_dictionaries(
        {},
        optional={
            "hostname": OPTIONAL_TEXT,
            "cpu": st.fixed_dictionaries({"count": OPTIONAL_NUMBER, "architecture": OPTIONAL_TEXT}),
            "memory": st.fixed_dictionaries({"physical_bytes": OPTIONAL_NUMBER}),
            "boot": st.fixed_dictionaries({"current_boot_mode": OPTIONAL_TEXT}),
            "system_vendor": st.fixed_dictionaries(
                {"virtual": st.none() | st.booleans(), "serial_number": OPTIONAL_TEXT}
            ),
            "interfaces": st.lists(st.none() | st.fixed_dictionaries({"name": OPTIONAL_TEXT}), max_size=6),
        },
    )
)
def test_what_is_kept_never_keeps_an_operator_from_approving(hardware: dict[str, Any]) -> None:
    """The request that holds it is judged with it when it is patched: it must be one that the definition allows."""
    kept = enrolment_features(features(**hardware))
    document = {"metadata": {"name": "d", "namespace": "default"}, "spec": {"targetNamespace": "ns", "features": kept}}
    validated = validate(KINDS["EdgeDeviceSignedRequest"], document, unknown_fields="strict")
    assert validated.body["spec"]["features"] == kept
