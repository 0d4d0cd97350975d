"""`muster settings`: every variable with its value in force, its default and its meaning."""

import os
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from settings import Settings, describe, load


def settings() -> int:
    """List every setting: name, value, default and meaning."""
    Console().print(table(load(os.environ)))
    return 0


def table(loaded: Settings) -> Table:
    """One row a setting, in the order they are declared."""
    rows = Table(title="Settings, read from the environment; * marks what differs from its default")
    rows.add_column("setting", no_wrap=True)
    for heading in ("value", "default", "meaning"):
        rows.add_column(heading, overflow="fold")
    for variable in describe():
        value = getattr(getattr(loaded, variable.slice_name), variable.field_name)
        mark = "" if value == variable.default else " *"
        rows.add_row(variable.name, _shown(value) + mark, _shown(variable.default), variable.description)
    return rows


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, Path) and value.is_relative_to(Path.cwd()):
        return f"./{value.relative_to(Path.cwd())}"
    return str(value)
