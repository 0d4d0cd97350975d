"""One Muster a folder, and a full disk said before anything stops by itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.data_folder import REQUIRED_FREE_BYTES, RoomWatch, free_bytes, held_alone, require_room
from local.errors import LocalError

HOLDS = """
import sys, time
from pathlib import Path
from local.data_folder import held_alone
with held_alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_folder_in_use_names_who_uses_it(tmp_path: Path) -> None:
    """The second Muster is refused with the pid of the first and the setting that helps."""
    with held_alone(tmp_path), pytest.raises(LocalError, match=rf"\(pid {os.getpid()}\).*MUSTER_DATA"):
        held_alone(tmp_path).__enter__()


def test_a_killed_holder_leaves_the_folder_free(tmp_path: Path) -> None:
    """A file that only looks like a lock would have to be deleted by hand."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LocalError, match=f"pid {holder.pid}"):
            held_alone(tmp_path).__enter__()
        holder.kill()
    with held_alone(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    """Such as one below a file."""
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="set MUSTER_DATA to another"):
        held_alone(tmp_path / "file" / "data").__enter__()


def test_a_full_disk_is_refused_with_the_setting(tmp_path: Path) -> None:
    """Starting would only end in worse words."""
    with pytest.raises(LocalError, match=r"499 MB left .* set MUSTER_DATA"):
        require_room(tmp_path, lambda _: REQUIRED_FREE_BYTES - 1)
    require_room(tmp_path, lambda _: REQUIRED_FREE_BYTES)


def test_a_disk_running_low_is_said_once_and_taken_back_once(tmp_path: Path) -> None:
    """A line every ten seconds would hide the others."""
    lines: list[str] = []
    free = iter([10**10, 10**9, 10**9, 10**10, 10**10])
    watch = RoomWatch(tmp_path, lines.append, lambda _: next(free))
    for _ in range(5):
        watch.look()
    assert [line.split(":")[0] for line in lines] == [f"1000 MB left on the disk of {tmp_path}", "room again"]


def test_room_is_known_before_the_folder_is_there(tmp_path: Path) -> None:
    """Why a folder cannot be made is asked before it is."""
    assert free_bytes(tmp_path / "not" / "yet") > 0
