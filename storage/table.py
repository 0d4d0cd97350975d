"""How rows get into a table: by columns, in one insert, all or none."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from clickhouse_connect.driver import Client


class Table(NamedTuple):
    """A table as `storage/migrations` makes it. `columns` are types by name, in the order of its row type's fields."""

    name: str
    columns: dict[str, str]


PLACE = {"received_at": "DateTime64(3, 'UTC')", "partition": "UInt16", "sequence": "UInt64"}
"""Columns of where and when a row came from."""


def insert_rows(client: Client, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write rows into the client's database; none is no insert. Blocks until ClickHouse has them.

    Times are given in the column's own unit, milliseconds. Raises clickhouse_connect's errors; writing the same rows
    again does no harm.
    """
    if not rows:
        return
    client.insert(
        table.name,
        list(zip(*rows, strict=True)),
        column_names=list(table.columns),
        column_type_names=list(table.columns.values()),
        column_oriented=True,
    )
