"""Blocks in the format Native, as the engine reads them."""

import numpy as np
import pytest
from clickhouse_connect.driver import Client

from settings import ClickHouseSettings
from storage.client import connect
from storage.native_block import Encoded, NoTexts, Numbers, SharedTexts, Texts, native_block, rows_block

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


def test_columns_that_are_cheap_to_write_are_read_as_the_others(client: Client) -> None:
    """Texts of one length, none at all, and a column that was encoded before."""
    columns = (
        SharedTexts([b"up"], np.zeros(3, np.int64)),
        Texts([b"a" * 200, b"b" * 200, b"c" * 200]),
        Encoded.of(Numbers(np.array([1, 2, 3], np.uint64))),
        Numbers(np.zeros(3, np.int64)),
    )
    client.raw_insert("rows", list(TYPES), native_block(TYPES, columns), fmt="Native")
    further = (columns[0], NoTexts(3), Numbers(np.array([4, 5, 6], np.uint64)), columns[3])
    client.raw_insert("rows", list(TYPES), native_block(TYPES, further), fmt="Native")
    stored = client.query("SELECT text FROM rows ORDER BY number").result_columns[0]
    assert list(stored) == ["a" * 200, "b" * 200, "c" * 200, "", "", ""]


def test_rows_of_arrays_and_nulls_are_read_as_they_were_given(client: Client) -> None:
    """Also where all arrays of a column are empty, which leaves nothing of its texts to write."""
    types = {
        "number": "UInt32",
        "signed": "Int64",
        "maybe": "Nullable(DateTime64(3, 'UTC'))",
        "texts": "Array(String)",
        "shared": "Array(LowCardinality(String))",
        "empty": "Array(LowCardinality(String))",
        "times": "Array(Nullable(DateTime64(3, 'UTC')))",
    }
    columns = ", ".join(f"{name} {type_name}" for name, type_name in types.items())
    client.command(f"CREATE TABLE nested ({columns}) ENGINE = MergeTree ORDER BY number")
    rows = [
        (1, -(2**63), None, [], [], [], []),
        (2, 2**63 - 1, 5, ["a", "ü" * 100], ["x", "", "x"], [], [None, 7]),
        (2**32 - 1, 0, 1_795_000_000_123, [""], ["y"], [], [None]),
    ]
    client.raw_insert("nested", list(types), rows_block(types, rows[:1]) + rows_block(types, rows), fmt="Native")
    query = """
        SELECT number, signed, toUnixTimestamp64Milli(maybe), texts, shared, empty,
            arrayMap(time -> toUnixTimestamp64Milli(time), times)
        FROM nested ORDER BY number
    """
    assert [tuple(row) for row in client.query(query).result_rows] == [rows[0], *rows]


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
