"""A jar is used only if it is the pinned one, whatever the network, a crash or a neighbour did to the cache."""

import errno
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest
import requests

from local.errors import LocalError
from local.kafka.jars import Fetch, provide_jars
from local.kafka.pins import Pin

CONTENTS = {f"part-{number}": f"jar {number}".encode() * 1000 for number in range(6)}
PINS = [
    Pin("org.example", name, "1.0", hashlib.sha256(content).hexdigest(), len(content))
    for name, content in CONTENTS.items()
]


class Seen:
    """What a person would have been told."""

    def __init__(self) -> None:
        self.expected: list[tuple[int, int]] = []
        self.arrived_bytes = 0
        self.notes: list[str] = []

    def expect(self, files: int, size_bytes: int) -> None:
        """Keep it."""
        self.expected.append((files, size_bytes))

    def advance(self, size_bytes: int) -> None:
        """Add it up."""
        self.arrived_bytes += size_bytes

    def note(self, line: str) -> None:
        """Keep it."""
        self.notes.append(line)


def delivers(contents: dict[str, bytes]) -> Fetch:
    """A registry with these files."""

    def fetch(pin: Pin, folder: Path, arrived: Callable[[int], None]) -> Path:
        content = contents[pin.artifact]
        file = folder / pin.file_name
        file.write_bytes(content)
        arrived(len(content))
        return file

    return fetch


def first_delivers(fault: Callable[[], bytes]) -> Fetch:
    """A registry whose first answer for part-0 is a fault and all later ones are right."""
    faults = [fault]

    def fetch(pin: Pin, folder: Path, arrived: Callable[[int], None]) -> Path:
        if pin.artifact == "part-0" and faults:
            return delivers({"part-0": faults.pop()()})(pin, folder, arrived)
        return delivers(CONTENTS)(pin, folder, arrived)

    return fetch


def refuses(pin: Pin, _folder: Path, _arrived: Callable[[int], None]) -> Path:
    """No jar may be fetched."""
    raise AssertionError(pin)


def test_missing_jars_are_downloaded_once_and_progress_is_told(tmp_path: Path) -> None:
    """The second start downloads nothing."""
    seen = Seen()
    jars = provide_jars(PINS, tmp_path, seen, delivers(CONTENTS))
    assert [jar.read_bytes() for jar in jars] == list(CONTENTS.values())
    total_bytes = sum(map(len, CONTENTS.values()))
    assert seen.expected == [(6, total_bytes)]
    assert seen.arrived_bytes == total_bytes
    assert provide_jars(PINS, tmp_path, Seen(), refuses) == jars


def test_a_corrupted_download_is_refused_and_fetched_again(tmp_path: Path) -> None:
    """The line names the jar and both sums; the good one is used."""
    seen = Seen()
    jars = provide_jars(PINS, tmp_path, seen, first_delivers(lambda: b"corrupted"))
    assert jars[0].read_bytes() == CONTENTS["part-0"]
    (note,) = seen.notes
    assert note.startswith("part-0-1.0.jar was refused: its SHA-256 is")
    assert PINS[0].sha256 in note


def test_a_download_that_broke_off_is_fetched_again(tmp_path: Path) -> None:
    """A connection may break once."""

    def breaks() -> bytes:
        raise requests.ConnectionError("connection reset")

    seen = Seen()
    provide_jars(PINS, tmp_path, seen, first_delivers(breaks))
    assert "cannot be downloaded (connection reset)" in seen.notes[0]


def test_a_jar_that_is_wrong_twice_is_never_used(tmp_path: Path) -> None:
    """Nothing under its name is left in the cache."""
    wrong = delivers({**CONTENTS, "part-3": b"something else"})
    with pytest.raises(LocalError, match=r"org\.example:part-3:1\.0 was refused: its SHA-256"):
        provide_jars(PINS, tmp_path, Seen(), wrong)
    assert not list(tmp_path.rglob("part-3*"))


def test_a_jar_damaged_in_the_cache_is_fetched_again(tmp_path: Path) -> None:
    """Even if its size is right."""
    jar = provide_jars(PINS, tmp_path, Seen(), delivers(CONTENTS))[2]
    damaged = bytearray(jar.read_bytes())
    damaged[7] ^= 1
    jar.write_bytes(damaged)
    seen = Seen()
    provide_jars(PINS, tmp_path, seen, delivers(CONTENTS))
    assert jar.read_bytes() == CONTENTS["part-2"]
    assert seen.expected == [(1, len(CONTENTS["part-2"]))]
    assert f"{jar} is damaged" in seen.notes[0]


def test_a_refused_jar_ends_the_other_downloads(tmp_path: Path) -> None:
    """As does Ctrl-C: nobody waits for a slow rest that is of no use."""

    def slow_beside_a_wrong_one(pin: Pin, folder: Path, arrived: Callable[[int], None]) -> Path:
        if pin.artifact == "part-0":
            return delivers({"part-0": b"wrong"})(pin, folder, arrived)
        for _ in range(3000):
            time.sleep(0.01)
            arrived(1)
        raise AssertionError

    began = time.monotonic()
    with pytest.raises(LocalError, match="part-0"):
        provide_jars(PINS, tmp_path, Seen(), slow_beside_a_wrong_one)
    assert time.monotonic() - began < 5


def test_two_downloads_side_by_side_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Both find every jar whole, whoever was first."""
    together = Barrier(2)

    def slow(pin: Pin, folder: Path, arrived: Callable[[int], None]) -> Path:
        file = folder / pin.file_name
        with file.open("wb") as stream:
            for start in range(0, len(CONTENTS[pin.artifact]), 1000):
                stream.write(CONTENTS[pin.artifact][start : start + 1000])
                stream.flush()
                time.sleep(0.001)
        arrived(0)
        return file

    found: list[list[bytes]] = []

    def provide() -> None:
        together.wait()
        found.append([jar.read_bytes() for jar in provide_jars(PINS, tmp_path, Seen(), slow)])

    threads = [Thread(target=provide) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [list(CONTENTS.values())] * 2


def test_what_a_killed_download_left_is_removed_after_a_day(tmp_path: Path) -> None:
    """Younger ones may still be at work."""
    folder = tmp_path / "kafka" / "jars"
    for name, age_s in (("incoming-old", 2 * 24 * 3600), ("incoming-young", 60)):
        (folder / name).mkdir(parents=True)
        then = time.time() - age_s
        os.utime(folder / name, (then, then))
    provide_jars(PINS, tmp_path, Seen(), delivers(CONTENTS))
    assert [path.name for path in folder.glob("incoming-*")] == ["incoming-young"]


def test_a_full_disk_names_the_setting(tmp_path: Path) -> None:
    """The cache may be moved."""

    def full(_pin: Pin, _folder: Path, _arrived: Callable[[int], None]) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(LocalError, match="the disk is full; set MUSTER_CACHE"):
        provide_jars(PINS, tmp_path, Seen(), full)
