"""The folder of everything that must survive a restart: one Muster at a time, and room left on its disk."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local.errors import LocalError

REQUIRED_FREE_BYTES: Final = 500_000_000
"""Below this nothing is started: Kafka and ClickHouse each stop, in words of their own, when a disk runs full."""

LOW_FREE_BYTES: Final = 2_000_000_000
"""Below this a running Muster warns."""

_LOCK_FILE: Final = "muster.lock"


class DiskFullError(LocalError):
    """There is no room; the message says where."""


@contextmanager
def held_alone(data: Path) -> Iterator[None]:
    """Hold the folder, made if need be, until the end of the block. Raises LocalError when another process holds it.

    The lock goes with the process, however it ends; the pid in the file only tells people who has it.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LocalError(f"cannot use the data folder {data}: {error.strerror}; set MUSTER_DATA to another") from error
    with os.fdopen(descriptor, "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock.read().strip() or "unknown"
            raise LocalError(
                f"the data folder {data} is used by another Muster (pid {holder}): stop that one, or set MUSTER_DATA to"
                " another folder"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def free_bytes(data: Path) -> int:
    """Free space on the folder's disk, which is its parents' while it does not exist."""
    existing = next(folder for folder in (data, *data.parents) if folder.exists())
    return shutil.disk_usage(existing).free


def require_room(data: Path, free: Callable[[Path], int] = free_bytes) -> None:
    """Raises DiskFullError when there is too little to start."""
    if (left := free(data)) < REQUIRED_FREE_BYTES:
        raise DiskFullError(
            f"the disk of {data} has {left // 1_000_000} MB left and {REQUIRED_FREE_BYTES // 1_000_000} MB are needed:"
            " make room, or set MUSTER_DATA to a folder on another disk"
        )


class RoomWatch:
    """Says so once whenever the disk runs low, and once when there is room again."""

    def __init__(self, data: Path, say: Callable[[str], None], free: Callable[[Path], int] = free_bytes) -> None:
        self._data = data
        self._say = say
        self._free = free
        self._is_low = False

    def look(self) -> None:
        """Look at the disk now."""
        left = self._free(self._data)
        if (left < LOW_FREE_BYTES) != self._is_low:
            self._is_low = not self._is_low
            megabytes = f"{left // 1_000_000} MB left on the disk of {self._data}"
            self._say(
                f"{megabytes}: make room, or move MUSTER_DATA to a larger disk, before Kafka and ClickHouse stop"
                if self._is_low
                else f"room again: {megabytes}"
            )
