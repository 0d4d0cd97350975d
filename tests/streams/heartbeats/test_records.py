"""Heartbeats read back from a record as they were written; what is of another layout, or damaged, is refused."""

from typing import Any

import msgspec
import numpy as np
import pytest

from fleet.heartbeats.device_index import digests
from fleet.heartbeats.entries import EntryColumns, HeartbeatEntry, MalformedEntriesError, RecordEntries
from fleet.position import MAX_INDEX
from streams.heartbeats.records import decode_heartbeats, encode_heartbeats, partition_of
from tests.streams.heartbeats.record_entries import entries_of

ENTRIES = [
    HeartbeatEntry("default", "device-1", 2**64 - 1, is_checked=True, wanted_version="v", body=b'{"status":"up"}\n'),
    HeartbeatEntry("default", "device-2", 0, is_checked=False, wanted_version=None, body=b"{}"),
    HeartbeatEntry("default", "device-3", 0, is_checked=True, wanted_version=None, body=b"{}", kind="hardware"),
    HeartbeatEntry("north", "Gerät-3", 5, is_checked=True, wanted_version="w", body='{"status":"übel"}'.encode()),
]
ONE = RecordEntries.of(ENTRIES[:1])


def test_heartbeats_read_back_with_their_bytes_untouched() -> None:
    """The agent folds exactly what the device sent."""
    assert entries_of(encode_heartbeats(ENTRIES)) == ENTRIES
    assert entries_of(encode_heartbeats([])) == []


def test_records_that_are_read_together_keep_their_entries_apart() -> None:
    """Numbers of namespaces and versions, and places of bodies, count within each record."""
    records = [ENTRIES, ENTRIES[3:], [], ENTRIES[1:3]]
    columns = EntryColumns([decode_heartbeats(encode_heartbeats(each)) for each in records])
    entries = [entry for record in records for entry in record]
    assert list(columns.entries()) == entries
    assert columns.sizes.tolist() == [4, 1, 0, 2]
    assert columns.digests.tolist() == digests(f"{each.namespace}/{each.device_id}" for each in entries).tolist()
    assert columns.content_hashes.tolist() == [each.content_hash for each in entries]
    assert columns.is_checked_heartbeat.tolist() == [each.is_checked and each.kind == "heartbeat" for each in entries]
    some = np.array([0, 4, 6])
    assert list(columns.entries(some)) == [entries[at] for at in some]
    assert columns.device_ids(some) == [entries[at].device_id.encode() for at in some]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"not msgpack",
        msgspec.msgpack.encode([3, []]),
        msgspec.msgpack.encode([2, []]),
        msgspec.msgpack.encode([2, ["default"], [""], "text", b"", b""]),
        msgspec.msgpack.encode([1, [["default"]]]),
        msgspec.msgpack.encode({}),
    ],
)
def test_a_record_of_another_layout_is_refused(value: bytes) -> None:
    """Neither garbage nor a later version is taken for something else."""
    with pytest.raises(msgspec.DecodeError):
        decode_heartbeats(value)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ({"heads": ONE.heads[:-1]}, "heads are not of 40 bytes"),
        ({"heads": ONE.heads * 2}, "device ids are not as long"),
        ({"device_ids": ONE.device_ids + b"x"}, "device ids are not as long"),
        ({"bodies": b"{}"}, "bodies are not as long"),
        ({"namespaces": []}, "no namespace of a number"),
        ({"wanted_versions": []}, "no wanted_version of a number"),
        ({"device_ids": b"device-\xff"}, "not UTF-8"),
    ],
)
def test_columns_that_do_not_fit_each_other_are_refused(damage: dict[str, Any], complaint: str) -> None:
    """Also among records that are whole."""
    damaged = msgspec.structs.replace(ONE, **damage)
    for records in ([damaged], [ONE, damaged], [damaged, ONE]):
        with pytest.raises(MalformedEntriesError, match=complaint):
            EntryColumns(records)


def test_an_id_that_ends_within_a_character_is_refused() -> None:
    """All ids together are UTF-8, and neither of the two is."""
    entries = [
        HeartbeatEntry("default", name, 0, is_checked=True, wanted_version=None, body=b"") for name in ("ab", "")
    ]
    record = msgspec.structs.replace(RecordEntries.of(entries), device_ids="ä".encode())
    list(EntryColumns([record]).entries())
    heads = bytearray(record.heads)
    heads[28], heads[68] = 1, 1
    with pytest.raises(MalformedEntriesError, match="within a character"):
        EntryColumns([msgspec.structs.replace(record, heads=bytes(heads))])


def test_a_record_with_more_columns_still_reads() -> None:
    """They may be appended without raising the version."""
    columns = msgspec.msgpack.decode(encode_heartbeats(ENTRIES))
    assert entries_of(msgspec.msgpack.encode([*columns, b"a later column"])) == ENTRIES


def test_a_record_of_version_1_still_reads() -> None:
    """Such may wait in Kafka when a worker is replaced by a later one."""
    first = [
        [each.namespace, each.device_id, each.content_hash, each.is_checked, each.wanted_version, each.body, each.kind]
        for each in ENTRIES
    ]
    assert entries_of(msgspec.msgpack.encode([1, first])) == ENTRIES
    assert entries_of(msgspec.msgpack.encode([1, [each[:6] for each in first[:2]]])) == ENTRIES[:2]
    many = [["default", str(number), 7, True, None, b""] for number in range(MAX_INDEX + 2)]
    assert len(decode_heartbeats(msgspec.msgpack.encode([1, many[1:]]))) == MAX_INDEX + 1
    with pytest.raises(msgspec.DecodeError, match="more than"):
        decode_heartbeats(msgspec.msgpack.encode([1, many]))
    (negative,) = entries_of(msgspec.msgpack.encode([1, [["default", "device-1", -5, True, None, b"{}"]]]))
    assert negative.content_hash == 2**64 - 5


def test_a_device_stays_in_its_partition_and_keeps_its_digest() -> None:
    """Both are part of the format: these values must never change within an epoch."""
    assert [partition_of("default", f"device-{number}", 12) for number in range(4)] == [8, 10, 0, 10]
    assert ONE.heads[:16].hex() == "6ea0e693d84c23e42cd03aafb63ba750"
