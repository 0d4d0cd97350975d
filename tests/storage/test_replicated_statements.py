"""The schema for a cluster of replicas: every statement of every migration, as the engine reads it."""

import re
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver import Client

from settings import ClickHouseSettings
from storage.client import connect
from storage.replicated_statements import Replicas, again, replicated
from storage.schema import migrations

REPLICAS = Replicas("two replicas", "mus`ter")
STATEMENTS = [
    (migration.name, statement) for migration in migrations("fleet", REPLICAS) for statement in migration.statements
]


@pytest.fixture
def client(clickhouse_settings: ClickHouseSettings, password: str) -> Iterator[Client]:
    """To an engine in which nothing is set up."""
    client = connect(clickhouse_settings, password, database="default")
    yield client
    client.close()


def test_the_engine_reads_every_statement(client: Client) -> None:
    """As the same kind of statement about the same table or view as for a single server."""
    plain = [statement for migration in migrations("fleet") for statement in migration.statements]
    for (name, statement), single in zip(STATEMENTS, plain, strict=True):
        trees = [client.raw_query(f"EXPLAIN AST {each}", fmt="TSV").decode() for each in (statement, single)]
        kinds = [tree.split(" (")[0] for tree in trees]
        assert kinds[0] == kinds[1], name


def test_every_table_is_replicated_under_a_place_of_its_own() -> None:
    """No engine is left that keeps rows on one server, and no two tables meet in Keeper."""
    text = "\n".join(statement for _, statement in STATEMENTS)
    assert not re.search(r"ENGINE = (?!Replicated)\w*MergeTree", text)
    places = re.findall(r"ENGINE = Replicated\w*MergeTree\('([^']+)', '\{replica\}'", text)
    made = re.findall(r"^CREATE TABLE", text, re.MULTILINE)
    assert len(places) == len(set(places)) == len(made) > 10
    assert all(place.startswith("/clickhouse/tables/{shard}/fleet/") for place in places)


def test_every_change_is_made_on_all_replicas_and_views_are_owned_by_the_same_user() -> None:
    """Rows alone travel by themselves."""
    for name, statement in STATEMENTS:
        assert ("ON CLUSTER 'two replicas'" in statement) != statement.startswith("INSERT"), name
        assert "CURRENT_USER" not in statement
        if re.match(r"CREATE (OR REPLACE )?(MATERIALIZED )?VIEW", statement):
            assert "DEFINER = `mus\\`ter` SQL SECURITY DEFINER\nAS " in statement


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "-- Why.\n\nCREATE TABLE IF NOT EXISTS d.t\n(a UInt64)\nENGINE = ReplacingMergeTree(a)\nORDER BY a",
            (
                "CREATE TABLE IF NOT EXISTS d.t ON CLUSTER 'c'\n(a UInt64)\nENGINE = ReplicatedReplacingMergeTree("
                "'/clickhouse/tables/{shard}/d/0009_x/t', '{replica}', a)\nORDER BY a"
            ),
        ),
        (
            "CREATE MATERIALIZED VIEW IF NOT EXISTS d.w TO d.t\nAS SELECT 1 AS a",
            (
                "CREATE MATERIALIZED VIEW IF NOT EXISTS d.w ON CLUSTER 'c' TO d.t\n"
                "DEFINER = `o` SQL SECURITY DEFINER\nAS SELECT 1 AS a"
            ),
        ),
        ("DROP TABLE IF EXISTS d.t", "DROP TABLE IF EXISTS d.t ON CLUSTER 'c' SYNC"),
        ("ALTER TABLE d.t\n    ADD COLUMN b String", "ALTER TABLE d.t ON CLUSTER 'c'\n    ADD COLUMN b String"),
        ("EXCHANGE TABLES d.t AND d.s", "EXCHANGE TABLES d.t AND d.s ON CLUSTER 'c'"),
        ("INSERT INTO d.t SELECT * FROM d.s", "INSERT INTO d.t SELECT * FROM d.s"),
    ],
)
def test_statements_become_those_of_a_cluster(statement: str, expected: str) -> None:
    """Each kind that a migration may hold."""
    assert replicated(statement, "0009_x", "d", Replicas("c", "o")) == expected


@pytest.mark.parametrize("statement", ["OPTIMIZE TABLE d.t", "CREATE DATABASE d", "SYSTEM RELOAD CONFIG", ""])
def test_a_statement_that_may_leave_replicas_different_is_refused(statement: str) -> None:
    """Its author must say how it is done on each."""
    with pytest.raises(ValueError, match="do not know how to replicate"):
        replicated(statement, "0009_x", "d", Replicas("c", "o"))


def test_a_new_replica_gets_what_the_others_have(clickhouse_settings: ClickHouseSettings, client: Client) -> None:
    """From the server's own words about its tables and views, which the engine reads again."""
    client.command(f"CREATE DATABASE {clickhouse_settings.database}")
    client.command(f"CREATE TABLE {clickhouse_settings.database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    client.command(
        f"CREATE VIEW {clickhouse_settings.database}.v (a UInt64 COMMENT 'x') DEFINER = CURRENT_USER"
        f" SQL SECURITY DEFINER AS SELECT a FROM {clickhouse_settings.database}.t"
    )
    query = "SELECT create_table_query FROM system.tables WHERE database = {name:String} ORDER BY name"
    rows = client.query(query, parameters={"name": clickhouse_settings.database}).result_rows
    for (own,), kind in zip(rows, ("TABLE", "VIEW"), strict=True):
        statement = again(own, REPLICAS)
        assert statement.startswith(f"CREATE {kind} IF NOT EXISTS {clickhouse_settings.database}.")
        assert " ON CLUSTER 'two replicas' (" in statement
        assert client.query(f"EXPLAIN AST {statement}").result_rows[0][0].startswith("CreateQuery")
