"""Reads a CSV file of devices to approve before they ask: checked as a whole first, then read in batches.

The first line names the columns: `device`, and optionally `namespace` and `set`; every other column is a label of that
name, which a device has where its cell is not empty.
"""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from cli.errors import CommandError
from fleet.errors import BadInputError
from fleet.names import check_device_id, check_label_key, check_label_value, check_namespace

MISTAKES_SHOWN = 20
"""Mistakes told of one file; more of them mostly have the same cause."""

_OWN_COLUMNS = ("device", "namespace", "set")


def check_file(path: Path, initial_namespace: str) -> tuple[int, list[str]]:
    """How many devices the file names, and its first mistakes with their lines. Raises CommandError."""
    mistakes: list[str] = []
    seen: dict[str, int] = {}
    for line, row in _rows(path, initial_namespace):
        try:
            _check(row)
        except BadInputError as error:
            mistakes.append(f"{path}:{line}: {error}")
        else:
            if (first := seen.setdefault(row["device"], line)) != line:
                mistakes.append(f"{path}:{line}: device {row['device']} stands in line {first} already")
        if len(mistakes) == MISTAKES_SHOWN:
            break
    return len(seen), mistakes


def read_batches(path: Path, initial_namespace: str, size: int) -> Iterator[list[dict[str, Any]]]:
    """The devices in the order of the file, `size` at a time, as `POST /muster/v1/preauthorisations` takes them."""
    rows = (row for _, row in _rows(path, initial_namespace))
    while batch := list(islice(rows, size)):
        yield batch


def _rows(path: Path, initial_namespace: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            columns = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = columns
            _check_columns(path, columns)
            labels = [name for name in columns if name not in _OWN_COLUMNS]
            for row in reader:
                if None in row:
                    raise CommandError(f"{path}:{reader.line_num}: more cells than columns")
                yield (
                    reader.line_num,
                    {
                        "device": row["device"].strip(),
                        "namespace": (row.get("namespace") or "").strip() or initial_namespace,
                        "set": (row.get("set") or "").strip(),
                        "labels": {name: row[name].strip() for name in labels if row[name].strip()},
                    },
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def _check_columns(path: Path, columns: list[str]) -> None:
    if "device" not in columns:
        raise CommandError(f"{path}:1: there is no column 'device': name the columns in the first line")
    if len(set(columns)) < len(columns):
        raise CommandError(f"{path}:1: a column stands there twice")
    for name in columns:
        try:
            check_label_key(name)
        except BadInputError as error:
            raise CommandError(f"{path}:1: {error}") from None


def _check(row: dict[str, Any]) -> None:
    check_device_id(row["device"])
    check_namespace(row["namespace"])
    check_label_value(row["set"])
    for value in row["labels"].values():
        check_label_value(value)
