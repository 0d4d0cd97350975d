"""Tells whether a file changed since it was read."""

from pathlib import Path
from typing import Any


def file_stamp(path: Path) -> Any:
    """Changes when the file does, also when a link on the way to it is turned, as Kubernetes does with secrets.

    None when there is no such file, or nobody may look.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
