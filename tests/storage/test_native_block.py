"""Blocks in the format Native, as the engine reads them."""

import numpy as np
import pytest
from clickhouse_connect.driver import Client

from settings import ClickHouseSettings
from storage.client import connect
from storage.native_block import Numbers, SharedTexts, Texts, native_block, rows_block

TYPES = {"shared": "LowCardinality(String)", "text": "String", "number": "UInt64", "at": "DateTime64(3, 'UTC')"}


@pytest.fixture
def client(clickhouse_settings: ClickHouseSettings, password: str) -> Client:
    """With a table of these types."""
    client = connect(clickhouse_settings, password, database="default")
    client.command(f"CREATE DATABASE {clickhouse_settings.database}")
    client.database = clickhouse_settings.database
    columns = ", ".join(f"{name} {type_name}" for name, type_name in TYPES.items())
    client.command(f"CREATE TABLE rows ({columns}) ENGINE = MergeTree ORDER BY number")
    return client


def test_the_engine_reads_what_was_written(client: Client) -> None:
    """Texts of any length, the largest numbers, and two blocks one after the other, each with texts of its own."""
    texts = [b"", b"x" * 127, "ü".encode() * 64, b"y" * 70_000]
    columns = (
        SharedTexts([b"up", b"", b"never used"], np.array([0, 1, 0, 1])),
        Texts(texts),
        Numbers(np.array([0, 1, 2, 2**64 - 1], np.uint64)),
        Numbers(np.array([0, 1_795_000_000_123, 1, 2], np.int64)),
    )
    rows = [("down", "plain", 5, 1_795_000_000_000), ("down", b"bytes", 6, 7)]
    client.raw_insert("rows", list(TYPES), native_block(TYPES, columns) + rows_block(TYPES, rows), fmt="Native")
    query = "SELECT shared, text, number, toUnixTimestamp64Milli(at) FROM rows ORDER BY number"
    stored = [tuple(row) for row in client.query(query).result_rows]
    assert stored[:3] == [
        ("up", "", 0, 0),
        ("", "x" * 127, 1, 1_795_000_000_123),
        ("up", "ü" * 64, 2, 1),
    ]
    assert stored[3:] == [
        ("down", "plain", 5, 1_795_000_000_000),
        ("down", "bytes", 6, 7),
        ("", "y" * 70_000, 2**64 - 1, 2),
    ]


def test_more_than_256_shared_texts_fit(client: Client) -> None:
    """Their numbers grow with them."""
    texts = [b"%d" % number for number in range(300)]
    columns = (
        SharedTexts(texts, np.arange(300)),
        Texts(texts),
        Numbers(np.arange(300, dtype=np.uint64)),
        Numbers(np.zeros(300, np.int64)),
    )
    client.raw_insert("rows", list(TYPES), native_block(TYPES, columns), fmt="Native")
    assert client.query("SELECT countIf(shared = text), uniq(shared) FROM rows").result_rows == [(300, 300)]


def test_columns_of_different_length_are_refused() -> None:
    """The engine would read one for the other."""
    with pytest.raises(ValueError, match="the column text has 1 rows, not 2"):
        native_block(TYPES, (SharedTexts([b""], np.array([0, 0])), Texts([b""]), *[Numbers(np.zeros(2))] * 2))
