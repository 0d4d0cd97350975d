"""What Kafka records hold reads back as it was written, and later layouts are not misread."""

import msgspec
import pytest

from fleet.decisions.commands import Change, DeleteResource, Outcome, PutResource, Request, ResourceKey
from streams.commands.feed_records import decode_outcomes, encode_outcomes
from streams.commands.records import decode_requests, encode_requests
from streams.heartbeats.records import HeartbeatEntry, decode_heartbeats, encode_heartbeats, partition_of

WORKLOAD = ResourceKey("EdgeWorkload", "default", "web")
ENTRIES = [
    HeartbeatEntry("default", "device-1", 2**64 - 1, is_checked=True, wanted_version="v", body=b'{"status":"up"}\n'),
    HeartbeatEntry("default", "device-2", 0, is_checked=False, wanted_version=None, body=b"{}"),
    HeartbeatEntry("default", "device-3", 0, is_checked=True, wanted_version=None, body=b"{}", kind="hardware"),
]
REQUESTS = [
    Request("r1", "ann", 1_000, PutResource(WORKLOAD, {"spec": {"type": "pod"}}, "create", "uid-1")),
    Request("r2", "bob", 2_000, DeleteResource(WORKLOAD)),
]
OUTCOMES = [Outcome(5, "r1", "ann", 1_000, "accepted", "", [Change(WORKLOAD, {"spec": {}})], [])]


def test_heartbeats_read_back_with_their_bytes_untouched() -> None:
    """The agent folds exactly what the device sent."""
    assert decode_heartbeats(encode_heartbeats(ENTRIES)) == ENTRIES


def test_requests_read_back_in_their_order() -> None:
    """The order in a record is the order of revisions."""
    assert decode_requests(encode_requests(REQUESTS)) == REQUESTS


def test_outcomes_read_back_with_the_resources_they_changed() -> None:
    """A reader of the feed needs nothing else."""
    assert decode_outcomes(encode_outcomes(OUTCOMES)) == OUTCOMES


@pytest.mark.parametrize("decode", [decode_heartbeats, decode_requests, decode_outcomes])
@pytest.mark.parametrize("value", [b"", b"not msgpack", msgspec.msgpack.encode([2, []]), msgspec.msgpack.encode({})])
def test_a_record_of_another_layout_is_refused(decode: object, value: bytes) -> None:
    """Neither garbage nor a later version is taken for something else."""
    with pytest.raises(msgspec.DecodeError):
        decode(value)  # type: ignore[operator]


def test_a_record_of_a_newer_minor_layout_still_reads() -> None:
    """Fields may be appended without raising the version."""
    appended = msgspec.msgpack.encode(
        [1, [["default", "device-1", 7, True, None, b"{}", "heartbeat", "a later field"]]]
    )
    assert decode_heartbeats(appended)[0].device_id == "device-1"


def test_a_device_stays_in_its_partition() -> None:
    """The partition is part of the format: these values must never change within an epoch."""
    assert [partition_of("default", f"device-{number}", 12) for number in range(4)] == [8, 10, 0, 10]
