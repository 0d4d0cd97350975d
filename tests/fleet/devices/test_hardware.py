"""Hardware descriptions add up: null or absent is “not sent”, an empty list is “none”."""

from fleet.devices.hardware import (
    NO_HARDWARE,
    Boot,
    Cpu,
    Hardware,
    Interface,
    Mount,
    SystemVendor,
    decode_hardware,
    encode_hardware,
    merge_hardware,
)

FULL = Hardware(
    hostname="edge-7",
    interfaces=[Interface(name="em1", ipv4_addresses=["10.0.0.2/24"]), None],
    boot=Boot(current_boot_mode="bios"),
    system_vendor=SystemVendor(serial_number="SN-1", manufacturer="LENOVO"),
    cpu=Cpu(count=8, architecture="x86_64", flags=["fpu"]),
    mounts=[Mount(device="/dev/sda", directory="/")],
)


def test_what_was_not_sent_stays() -> None:
    """Later heartbeats carry hostname, interfaces and mounts; the rest of the description stays."""
    sent = Hardware(hostname="edge-8", interfaces=[Interface(name="em2")], mounts=[])
    merged = merge_hardware(FULL, sent)
    assert (merged.hostname, merged.interfaces, merged.mounts) == ("edge-8", sent.interfaces, [])
    assert (merged.boot, merged.cpu, merged.system_vendor) == (FULL.boot, FULL.cpu, FULL.system_vendor)


def test_objects_are_merged_field_by_field() -> None:
    """A vendor without its serial number does not take the known one away."""
    merged = merge_hardware(FULL, Hardware(system_vendor=SystemVendor(product_name="T14")))
    assert merged.system_vendor == SystemVendor(serial_number="SN-1", product_name="T14", manufacturer="LENOVO")


def test_saying_nothing_changes_nothing() -> None:
    """All null, as a current agent sends it."""
    assert merge_hardware(FULL, NO_HARDWARE) is FULL
    assert merge_hardware(NO_HARDWARE, FULL) == FULL


def test_stored_hardware_reads_back() -> None:
    """What is stored between heartbeats is what was merged."""
    assert decode_hardware(encode_hardware(FULL)) == FULL
    assert encode_hardware(NO_HARDWARE) == b"{}"
