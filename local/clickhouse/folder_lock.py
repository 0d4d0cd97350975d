"""One process at a time on a folder of the engine, told before the engine would say so in words of its own."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.errors import LocalError


@contextmanager
def hold_folder(folder: Path) -> Iterator[Path]:
    """Hold the folder, made if need be. The lock goes with the process. Raises LocalError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "endpoint.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LocalError(f"cannot use {folder}: {error.strerror}; set MUSTER_DATA to another folder") from error
    with os.fdopen(descriptor, "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError(
                f"{folder} is used by another ClickHouse endpoint (pid {lock.read().strip() or 'unknown'}):"
                " stop that one, or set MUSTER_DATA to another folder"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield folder
