"""Numbers for devices, found by the thousand."""

import numpy as np

from fleet.heartbeats.device_index import DeviceIndex, digests


def test_each_device_keeps_its_number_as_others_come() -> None:
    """Through several times of growing."""
    index = DeviceIndex()
    names = [f"north/device-{number}" for number in range(5000)]
    for start in range(0, 5000, 700):
        numbers = index.add(digests(names[start : start + 700]))
        assert numbers.tolist() == list(range(start, min(start + 700, 5000)))
    assert len(index) == 5000
    assert index.find(digests(names)).tolist() == list(range(5000))


def test_devices_that_are_not_here_have_none() -> None:
    """Also among those that are, and in an empty index."""
    index = DeviceIndex()
    assert index.find(digests(["north/a"])).tolist() == [-1]
    assert index.find(digests([])).tolist() == []
    index.add(digests(["north/b"]))
    assert index.find(digests(["north/a", "north/b", "south/b"])).tolist() == [-1, 0, -1]


def test_digests_that_begin_alike_are_told_apart() -> None:
    """All of a digest counts, and a crowd at one place is gone through."""
    index = DeviceIndex()
    crowd = np.array([[5, number] for number in range(200)], np.uint64)
    index.add(crowd)
    assert index.find(crowd).tolist() == list(range(200))
    assert index.find(np.array([[5, 200], [6, 1]], np.uint64)).tolist() == [-1, -1]
