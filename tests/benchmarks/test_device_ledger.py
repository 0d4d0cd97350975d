"""The ledger by device finds what a wrong pipeline would do; its counts are those of the load generator's order."""

import numpy as np
import pytest

from benchmarks.device_ledger import Stored, compare
from benchmarks.load.heartbeat_load import sent_by_device, stride

_SENT = np.array([2, 1, 1])


def _stored(*rows: tuple[int, int]) -> Stored:
    devices, places = zip(*rows, strict=True)
    return Stored(np.array(devices, np.uint32), np.array(places, np.uint64))


def test_what_was_sent_is_stored_once() -> None:
    """Each device as often as it beat, each heartbeat at a place of its own."""
    verdict = compare(_SENT, 4, _stored((0, 10), (1, 11), (2, 12), (0, 13)))
    assert verdict.is_clean
    assert verdict.found_once == verdict.acknowledged == 4


@pytest.mark.parametrize(
    ("rows", "missing", "stored_twice"),
    [
        (((0, 10), (1, 11), (2, 12)), 1, 0),
        (((0, 10), (1, 11), (2, 12), (0, 13), (1, 14)), 0, 1),
        (((0, 10), (1, 11), (2, 12), (0, 13), (0, 13)), 0, 1),
        (((0, 10), (1, 11), (2, 12), (2, 13)), 1, 1),
        (((0, 10), (1, 11), (2, 12), (0, 12)), 1, 0),
        (((0, 10), (1, 11), (2, 12), (0, 13), (9, 14)), 0, 1),
    ],
    ids=["lost", "stored again", "place twice", "another's instead", "two at one place", "a stranger's"],
)
def test_one_wrong_heartbeat_is_found(rows: tuple[tuple[int, int], ...], missing: int, stored_twice: int) -> None:
    """Whichever way it went wrong."""
    verdict = compare(_SENT, 4, _stored(*rows))
    assert not verdict.is_clean
    assert verdict.missing == missing
    assert verdict.stored_twice >= stored_twice


def test_what_had_no_200_may_be_stored_or_not() -> None:
    """Refused or unanswered: only more of them than those is a loss."""
    three = ((0, 10), (1, 11), (2, 12))
    assert compare(_SENT, 3, _stored(*three)).is_clean
    assert compare(_SENT, 3, _stored(*three, (0, 13))).is_clean
    assert compare(_SENT, 3, _stored(*three[:2])).missing == 1


@pytest.mark.parametrize(("before", "sent"), [(0, 5), (7, 30), (23, 10), (5, 0)])
def test_counts_follow_the_order_of_the_load_generator(before: int, sent: int) -> None:
    """One device after the other in steps of the stride, as in heartbeats.lua."""
    devices = 10
    expected = [0] * devices
    place = before % devices * stride(devices) % devices
    for _ in range(sent):
        expected[place] += 1
        place = (place + stride(devices)) % devices
    assert sent_by_device(devices, before, sent).tolist() == expected
