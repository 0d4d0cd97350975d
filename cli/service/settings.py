"""`muster settings`: every variable with its value in force, its default and its meaning."""

import os
import shutil
import sys
import textwrap
from pathlib import Path
from typing import Any

from settings import Settings, describe, load

_INDENT = "    "


def settings() -> int:
    """List every setting: name, value, default and meaning."""
    sys.stdout.write(listing(load(os.environ), shutil.get_terminal_size().columns))
    return 0


def listing(loaded: Settings, columns: int) -> str:
    """A paragraph a setting, in the order they are declared: a line to search for, and below it what it means."""
    paragraphs = ["Settings, read from the environment; * marks what differs from its default.\n"]
    for variable in describe():
        value = getattr(getattr(loaded, variable.slice_name), variable.field_name)
        told = (
            _shown(value) if value == variable.default else f"{_shown(value)} *  (default {_shown(variable.default)})"
        )
        meaning = textwrap.fill(variable.description, columns, initial_indent=_INDENT, subsequent_indent=_INDENT)
        paragraphs.append(f"{variable.name} = {told}\n{meaning}\n")
    return "\n".join(paragraphs)


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, Path) and value.is_relative_to(Path.cwd()):
        return f"./{value.relative_to(Path.cwd())}"
    return str(value)
