"""The entries of a record of the heartbeats topic, one by one."""

from fleet.heartbeats.entries import EntryColumns, HeartbeatEntry
from streams.heartbeats.records import decode_heartbeats


def entries_of(value: bytes) -> list[HeartbeatEntry]:
    """As a worker that looks at each would see them."""
    return list(EntryColumns([decode_heartbeats(value)]).entries())
