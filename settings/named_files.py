"""Files that settings name, read with errors that say in one line which setting is wrong and what to change."""

import os
from pathlib import Path
from typing import NamedTuple

from settings.load import SettingsError


class NamedFile(NamedTuple):
    """A file and the variable that names it."""

    setting: str
    path: Path

    def __str__(self) -> str:
        """As a person has set it."""
        return f"{self.setting}={str(self.path)!r}"


def read_named(file: NamedFile) -> bytes:
    """What it holds, which is not nothing. Raises SettingsError."""
    try:
        content = file.path.read_bytes()
    except FileNotFoundError as error:
        seen_from = "" if file.path.is_absolute() else f" in {Path.cwd()}"
        raise SettingsError(f"{file}: there is no such file{seen_from}; correct the path, or put it there") from error
    except IsADirectoryError as error:
        raise SettingsError(f"{file} is a folder: name the file in it") from error
    except PermissionError as error:
        raise SettingsError(
            f"{file} may not be read by user {os.getuid()}, as whom this runs: change the owner or mode of the file or"
            " of a folder above it"
        ) from error
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror or error}") from error
    if not content.strip():
        raise SettingsError(f"{file} is empty: put its content there, or name another file")
    return content
