"""How rows get into a table: by columns, in one insert, all or none."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import stamina
from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from storage.consistency import QUORUM_BUSY, insert_settings
from storage.native_block import rows_block

QUORUM_BUSY_WITHIN_S = 30.0
"""Several workers write by turns into a table that is read back; each turn takes some ten milliseconds."""


class Table(NamedTuple):
    """A table as `storage/migrations` makes it. `columns` are types by name, in the order of its row type's fields.

    `is_read_back`: Muster decides by its rows; otherwise they are for analysts alone (see `storage.consistency`).
    """

    name: str
    columns: dict[str, str]
    is_read_back: bool = True


PLACE = {"received_at": "DateTime64(3, 'UTC')", "partition": "UInt16", "sequence": "UInt64"}
"""Columns of where and when a row came from."""


def insert_rows(client: Client, table: Table, rows: Sequence[tuple[Any, ...]], *, only_once: str | None = None) -> None:
    """Write rows into the client's database; none is no insert. Blocks until ClickHouse has them.

    Times are given in the column's own unit, milliseconds. Raises clickhouse_connect's errors; writing the same rows
    again does no harm. On several replicas, rows of an `only_once` that were stored before are dropped.
    """
    if not rows:
        return
    insert_blocks(client, table, [rows_block(table.columns, rows)], only_once=only_once)


def insert_blocks(client: Client, table: Table, blocks: Sequence[bytes], *, only_once: str | None = None) -> None:
    """As `insert_rows`, for rows that are encoded already (`storage.native_block`)."""
    if not blocks:
        return
    settings = insert_settings(client, is_read_back=table.is_read_back, only_once=only_once)
    data = b"".join(blocks)
    for attempt in _turns():
        with attempt:
            client.raw_insert(table.name, list(table.columns), data, settings=settings, fmt="Native")


def _turns() -> Iterator[stamina.Attempt]:
    return stamina.retry_context(
        on=_is_quorum_busy, attempts=None, timeout=QUORUM_BUSY_WITHIN_S, wait_initial=0.02, wait_max=0.5
    ).__iter__()


def _is_quorum_busy(error: Exception) -> bool:
    return isinstance(error, DatabaseError) and error.code == QUORUM_BUSY
