"""What `clickhouse_connect` does, sync and async."""

import asyncio
import datetime as dt
import math
import uuid
from decimal import Decimal
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from local.clickhouse.process import ClickHouseEndpoint
from tests.local.clickhouse.conftest import PASSWORDS, OpenClient

UTC = dt.UTC


def _moment(microsecond: int = 0) -> dt.datetime:
    """The client gives times in UTC without saying so."""
    return dt.datetime(2024, 2, 29, 12, 30, 1, microsecond, tzinfo=UTC).replace(tzinfo=None)


TYPED_ROW: dict[str, tuple[str, Any]] = {
    "flag": ("Bool", True),
    "small": ("UInt8", 255),
    "large": ("UInt64", 2**64 - 1),
    "negative": ("Int64", -(2**63)),
    "huge": ("Int128", -(10**30)),
    "share": ("Float64", 0.1),
    "price": ("Decimal(18, 4)", Decimal("123.4567")),
    "name": ("String", "snow ☃, tab\t, line\n, quote'"),
    "code": ("FixedString(3)", b"abc"),
    "kind": ("LowCardinality(String)", "up"),
    "day": ("Date", dt.date(2024, 2, 29)),
    "second": ("DateTime('UTC')", _moment()),
    "milli": ("DateTime64(3, 'UTC')", _moment(123_000)),
    "micro": ("DateTime64(6, 'UTC')", _moment(123_456)),
    "maybe": ("Nullable(String)", None),
    "perhaps": ("Nullable(UInt32)", 7),
    "tags": ("Array(String)", ["a", "b"]),
    "nested": ("Array(Array(UInt8))", [[1], [], [2, 3]]),
    "labels": ("Map(String, String)", {"flotta/member-of": "kiosks", "empty": ""}),
    "pair": ("Tuple(String, UInt32)", ("x", 1)),
    "either": ("Enum8('up' = 1, 'down' = 2)", "down"),
    "id": ("UUID", uuid.UUID("12345678-1234-5678-1234-567812345678")),
    "maybes": ("Array(Nullable(Int32))", [1, None, 3]),
    "lows": ("Array(LowCardinality(Nullable(String)))", ["a", None]),
}


@pytest.fixture
def client(open_client: OpenClient) -> Client:
    """The owner's client."""
    return open_client(database="muster")


def test_every_kind_of_column_comes_back_as_it_went(client: Client) -> None:
    """Inserts are Native blocks, as are answers."""
    columns = ", ".join(f"`{name}` {type_name}" for name, (type_name, _) in TYPED_ROW.items())
    client.command(f"CREATE TABLE typed ({columns}) ENGINE = MergeTree ORDER BY tuple()")
    row = [value for _, value in TYPED_ROW.values()]
    summary = client.insert("typed", [row, row], column_names=list(TYPED_ROW))
    result = client.query("SELECT * FROM typed")
    client.command("DROP TABLE typed SYNC")
    assert summary.written_rows == 2
    assert result.column_names == tuple(TYPED_ROW)
    assert [list(found) for found in result.result_rows] == [row, row]


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_both_ways_may_be_compressed(open_client: OpenClient, table: str, compress: object) -> None:
    """Whatever the client was told."""
    client = open_client(compress=compress)
    rows = [[f"device-{number}", number] for number in range(10_000)]
    client.insert(table, rows, column_names=["device", "value"])
    assert client.query(f"SELECT count(), sum(value) FROM {table}").result_rows == [(10_000, 49_995_000)]
    assert len(client.query(f"SELECT * FROM {table}").result_rows) == 10_000


def test_answer_without_rows_still_has_columns(client: Client, table: str) -> None:
    """As a server's has, streamed or not."""
    query = f"SELECT device, value * 2 AS twice FROM {table} WHERE value = {{v:UInt64}}"
    result = client.query(query, parameters={"v": 1})
    assert (result.column_names, result.result_rows) == (("device", "twice"), [])
    with client.query_row_block_stream(query, parameters={"v": 1}) as stream:
        assert [row for block in stream for row in block] == []
        assert stream.source.column_names == ("device", "twice")
    assert client.query(f"SELECT * FROM {table} LIMIT 0").column_names == ("device", "value")


def test_parameters_are_bound(client: Client) -> None:
    """By the server, and by the client."""
    moment = _moment().replace(tzinfo=UTC)
    parameters = {"name": "it's \\ \t \n ☃", "numbers": [1, 2], "moment": moment, "none": None}
    bound = client.query(
        "SELECT {name:String}, {numbers:Array(UInt8)}, {moment:DateTime64(3, 'UTC')}, {none:Nullable(String)}",
        parameters=parameters,
    )
    assert bound.result_rows == [("it's \\ \t \n ☃", [1, 2], _moment(), None)]
    assert client.query("SELECT %(name)s", parameters=parameters).result_rows == [("it's \\ \t \n ☃",)]


def test_settings_go_along(client: Client) -> None:
    """Of one query."""
    assert client.query("SELECT getSetting('max_block_size')", settings={"max_block_size": 77}).first_row == (77,)


def test_commands_answer_values(client: Client, table: str) -> None:
    """A number, a text, several, or a summary."""
    assert client.command("SELECT 1") == 1
    assert client.command("SELECT 'one'") == "one"
    assert client.command("SELECT 'one', 2") == ["one", "2"]
    assert client.command(f"EXISTS TABLE {table}") == 1
    client.command(f"INSERT INTO {table} VALUES", data="('a', 1)")
    assert client.command(f"SELECT count() FROM {table}") == 1


def test_raw_inserts_and_queries(client: Client, table: str) -> None:
    """Bytes in a format of one's own choice."""
    client.raw_insert(table, ["device", "value"], b"a,1\nb,2\n", fmt="CSV")
    client.raw_insert(table, ["device", "value"], b'{"device":"c","value":3}', fmt="JSONEachRow")
    assert client.raw_query(f"SELECT * FROM {table} ORDER BY device", fmt="TSV") == b"a\t1\nb\t2\nc\t3\n"


def test_rows_stream_in_blocks(client: Client) -> None:
    """Far more than fits in one."""
    seen = 0
    with client.query_row_block_stream("SELECT number FROM numbers(2000000)") as stream:
        for block in stream:
            assert block[0][0] == seen
            seen += len(block)
    assert seen == 2_000_000


def test_error_in_the_middle_of_a_stream_is_raised(client: Client) -> None:
    """Not taken for the end."""
    query = "SELECT throwIf(number = 1900000, 'as told') FROM numbers(2000000)"
    with pytest.raises(StreamFailureError, match="as told"), client.query_row_block_stream(query) as stream:
        for _ in stream:
            pass


def test_errors_carry_the_code(client: Client) -> None:
    """As the client's exceptions show it."""
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE") as caught:
        client.query("SELECT * FROM missing")
    assert caught.value.code == 60


def test_wrong_password_is_said(endpoint: ClickHouseEndpoint) -> None:
    """At once."""
    with pytest.raises(DatabaseError) as caught:
        clickhouse_connect.get_client(host="127.0.0.1", port=endpoint.port, username="muster", password="guess")
    assert caught.value.code == 516


async def test_async_client(endpoint: ClickHouseEndpoint, table: str) -> None:
    """Queries, inserts, commands, streams, many at a time."""
    client = await clickhouse_connect.get_async_client(
        host="127.0.0.1", port=endpoint.port, username="muster", password=PASSWORDS["muster"], compress="lz4"
    )
    async with client:
        rows = [[f"device-{number}", number] for number in range(1000)]
        await asyncio.gather(
            *(client.insert(table, rows[start::10], column_names=["device", "value"]) for start in range(10))
        )
        lookups = await asyncio.gather(
            *(
                client.query(f"SELECT value FROM {table} WHERE device = {{d:String}}", parameters={"d": f"device-{n}"})
                for n in range(50)
            )
        )
        assert [lookup.first_row[0] for lookup in lookups] == list(range(50))
        assert await client.command(f"SELECT count() FROM {table}") == 1000
        async with await client.query_row_block_stream("SELECT number FROM numbers(300000)") as stream:
            assert sum([len(block) async for block in stream]) == 300_000
        with pytest.raises(DatabaseError):
            await client.query("SELECT * FROM missing")


def test_special_floats(client: Client) -> None:
    """Not a number, and infinity."""
    ((nan, infinity),) = client.query("SELECT nan, -inf").result_rows
    assert math.isnan(nan)
    assert infinity == -math.inf
