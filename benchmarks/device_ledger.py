"""Whether every device's heartbeats are stored as often as they were sent; this costs the load generator nothing.

Which device sends when is fixed (`benchmarks.load.heartbeat_load.sent_by_device`), and what is sent last is waited for.
So when every call was answered with 200, what is stored must be, device by device, what was sent, each at a place of
its own. What was refused or never answered may be stored or not: by so many the finding is inexact.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.ledger import STALL_S, Places, Verdict, once_settled, places_of, rows_since
from benchmarks.load.request_heads import NUMBER_DIGITS
from benchmarks.parts.installation import Installation

_ROW: Final = np.dtype([("device", "<u4"), ("partition", "<u2"), ("offset", "<u8"), ("batch_index", "<u2")])

Counts = npt.NDArray[np.int64]
"""Heartbeats by the device's number."""


class Stored(NamedTuple):
    """Rows that were stored: the device's number and the place of each."""

    devices: npt.NDArray[np.uint32]
    places: Places


def check_by_device(
    installation: Installation, sent: Counts, accepted: int, since_ms: int, stall_s: float = STALL_S
) -> Verdict:
    """Compare what was sent with what is stored since a time, of which `accepted` were answered with 200."""
    return once_settled(lambda: compare(sent, accepted, _stored(installation, since_ms)), stall_s)


def compare(sent: Counts, accepted: int, stored: Stored) -> Verdict:
    """The verdict. One that is not exact because some had no 200 is for the benefit of the accused."""
    _, first, copies = np.unique(stored.places, return_index=True, return_counts=True)
    found = np.bincount(stored.devices[first], minlength=len(sent))
    difference = sent - found[: len(sent)]
    without_200 = int(sent.sum()) - accepted
    missing = max(0, int(difference[difference > 0].sum()) - without_200)
    too_many = -int(difference[difference < 0].sum()) + int(found[len(sent) :].sum())
    return Verdict(
        acknowledged=accepted,
        found_once=accepted - missing,
        missing=missing,
        stored_twice=too_many + int(np.count_nonzero(copies > 1)),
        acknowledged_twice=0,
        stored_unacknowledged=max(0, int(found.sum()) - too_many - accepted),
    )


def _stored(installation: Installation, since_ms: int) -> Stored:
    device = f"toUInt32(right(device_id, {NUMBER_DIGITS}))"
    rows = rows_since(installation, since_ms, f"{device}, partition, offset, batch_index", _ROW)
    return Stored(rows["device"], places_of(rows["partition"], rows["offset"], rows["batch_index"]))
