"""Requests as operators and devices send them, with every kind of outcome among them."""

from fleet.decisions.commands import Command, EnrolDevice, ProveKey, PutResource, RegisterDevice, Request, ResourceKey
from fleet.decisions.decider import DecidedRequests, Decider, Decision
from fleet.decisions.signed_request import API_VERSION
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Limits
from fleet.position import pack_sequence
from fleet.sealing import KeyRing
from streams.commands.records import decode_requests
from streams.commands.source import CommandRecord

NOW_MS = 1_795_000_000_000
LIMITS = Limits(pending_limit=100_000, pending_expiry_ms=7 * 24 * 3_600_000)
"""As the settings' defaults make them."""

PLANTED = "correct-horse-battery-staple"
"""A value that must be readable nowhere."""

KEYS = KeyRing({"k1": b"1" * 32}, "k1", b"i" * 32)


def request(name: str, command: Command) -> Request:
    """A command under an id of one's own."""
    return Request(name, "ann", NOW_MS, command)


def workload(name: str, number: int) -> PutResource:
    """A workload that differs by a number."""
    key = ResourceKey("EdgeWorkload", "default", name)
    metadata = {"name": name, "namespace": "default"}
    body = {"apiVersion": API_VERSION, "kind": key.kind, "metadata": metadata, "spec": {"type": "pod", "n": number}}
    return PutResource(key, body, "upsert", f"uid-{name}")


def secret(name: str) -> PutResource:
    """A sealed Secret with the planted value."""
    metadata = {"name": name, "namespace": "default", "annotations": {"last-applied": PLANTED}}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"password": PLANTED}}
    return PutResource(ResourceKey("Secret", "default", name), KEYS.seal(body, b"0123456789ab"), "upsert", "uid")


def enrolment(device: str) -> list[Request]:
    """A device approved at once, registered and proven, then another key that is refused with an event."""
    return [
        request(
            f"enrol-{device}", EnrolDevice(device, "default", {"hardware": {}}, True, f"u-{device}", f"d-{device}")
        ),
        request(f"register-{device}", RegisterDevice(device, "default", "aa" * 32, {"device.hostname": device})),
        request(f"prove-{device}", ProveKey(device, "default", "aa" * 32)),
        request(f"steal-{device}", RegisterDevice(device, "default", "bb" * 32, {})),
    ]


def expected_decisions(records: list[CommandRecord], epoch: int, remembered: int = 100_000) -> list[Decision]:
    """What one decider that never stops says of the whole log; records it cannot read are left out."""
    decider = Decider(FleetState("default"), DecidedRequests(remembered), LIMITS, 0)
    return [
        decider.decide(each, pack_sequence(epoch, record.offset, index), record.received_at_ms)
        for record in records
        for index, each in enumerate(decode_requests(record.value))
    ]
