"""What was folded in columns, as the rows that it stands for."""

from fleet.heartbeats.device_memory import DeviceMemory
from fleet.heartbeats.fold import Folded
from fleet.heartbeats.rows import HeartbeatRow, SeenRow
from fleet.heartbeats.unchanged import Parting, SharedTexts, UnchangedHeartbeats


def in_rows(folded: Folded) -> Folded:
    """The same with every heartbeat and every sign of life as a row."""
    heartbeats = _heartbeats(folded.unchanged)
    return folded._replace(
        unchanged=Parting(DeviceMemory(), 0).parted().unchanged,
        heartbeats=heartbeats + folded.heartbeats,
        seen=[SeenRow(*row[:5]) for row in heartbeats] + folded.seen,
    )


def _heartbeats(unchanged: UnchangedHeartbeats) -> list[HeartbeatRow]:
    columns = (
        _texts(unchanged.namespaces),
        [device_id.decode() for device_id in unchanged.device_ids],
        unchanged.received_at_ms.tolist(),
        unchanged.partitions.tolist(),
        unchanged.sequences.tolist(),
        _texts(unchanged.statuses),
        _texts(unchanged.versions),
        _texts(unchanged.wanted_versions),
        unchanged.is_repeat.tolist(),
        unchanged.content_hashes.tolist(),
    )
    return [
        HeartbeatRow(*row, is_registered=True, is_repeat=is_repeat, is_changed=False, content_hash=hash_, body=b"")
        for *row, is_repeat, hash_ in zip(*columns, strict=True)
    ]


def _texts(column: SharedTexts) -> list[str]:
    return [column.texts[code] for code in column.codes.tolist()]
