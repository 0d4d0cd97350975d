"""The database as set-up makes it: once, completely, and explained to those who read it."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from settings import ClickHouseSettings, RetentionSettings
from storage.client import connect, connect_async
from storage.schema import migrations, set_up_schema

VIEWS = {
    "heartbeats": {"received_at", "status", "version"},
    "device_status": {"received_at", "last_seen", "status", "version"},
    "device_transitions": {"received_at", "status", "version"},
    "workload_status": {"workload", "status", "since", "last_data_upload"},
    "workload_transitions": {"workload", "status", "received_at"},
    "device_events": {"received_at", "type", "reason", "message", "source"},
    "device_configurations": {"wanted_version", "reported_version", "drifted_since"},
    "hardware": {"received_at"},
    "fleet_minutes": {"minute"},
}
"""What is promised to analysts, beside `namespace` and, but for `fleet_minutes`, `device_id`."""


@pytest.fixture
def clickhouse(clickhouse_settings: ClickHouseSettings, password: str) -> Iterator[Client]:
    """A database that was set up."""
    set_up_schema(clickhouse_settings, password, RetentionSettings())
    client = connect(clickhouse_settings, password)
    yield client
    client.close()


def test_each_migration_is_applied_once(clickhouse_settings: ClickHouseSettings, password: str) -> None:
    """In order, and never again."""
    names = [migration.name for migration in migrations("any")]
    assert names == sorted(names)
    assert set_up_schema(clickhouse_settings, password, RetentionSettings()) == names
    assert set_up_schema(clickhouse_settings, password, RetentionSettings()) == []


def test_a_set_up_that_died_halfway_can_be_repeated(
    clickhouse: Client, clickhouse_settings: ClickHouseSettings, password: str
) -> None:
    """Every statement may run again: only the note that it did was lost."""
    clickhouse.command("TRUNCATE TABLE schema_migrations")
    applied = set_up_schema(clickhouse_settings, password, RetentionSettings())
    assert applied == [migration.name for migration in migrations("any")]


@pytest.mark.parametrize("view", VIEWS)
def test_views_have_the_promised_columns(clickhouse: Client, view: str) -> None:
    """By these names analysts ask."""
    columns = {row[0] for row in clickhouse.query(f"DESCRIBE {view}").result_rows}
    common = {"namespace"} if view == "fleet_minutes" else {"namespace", "device_id"}
    assert columns >= VIEWS[view] | common
    assert clickhouse.query(f"SELECT * FROM {view}").result_rows == []


def test_every_table_and_column_says_what_it_is(clickhouse: Client) -> None:
    """And times say that they are UTC and how fine."""
    query = """
        SELECT table, name, type, columns.comment FROM system.columns
        WHERE database = currentDatabase() AND table NOT LIKE '%_writer'
    """
    columns = clickhouse.query(query).result_rows
    assert len(columns) > 100
    assert not [row for row in columns if not row[3]]
    assert not [row for row in columns if "DateTime" in row[2] and "UTC" not in row[3]]
    silent = """
        SELECT name FROM system.tables
        WHERE database = currentDatabase() AND comment = '' AND name NOT LIKE '%_writer'
    """
    assert clickhouse.query(silent).result_rows == []


def test_retention_follows_the_settings(
    clickhouse: Client, clickhouse_settings: ClickHouseSettings, password: str
) -> None:
    """At every set-up, table by table; 0 keeps rows for ever."""

    def days(table: str) -> str:
        query = "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {name:String}"
        engine = clickhouse.query(query, parameters={"name": table}).result_rows[0][0]
        return str(engine).partition(" TTL ")[2].partition(" SETTINGS")[0]

    assert days("heartbeats_log") == "toDateTime(received_at) + toIntervalDay(90)"
    set_up_schema(clickhouse_settings, password, RetentionSettings(heartbeats_days=7, events_days=0))
    assert days("heartbeats_log") == "toDateTime(received_at) + toIntervalDay(7)"
    assert days("device_events_log") == ""
    assert days("device_transitions_log") == "toDateTime(received_at) + toIntervalDay(365)"


def test_a_wrong_password_is_refused(clickhouse_settings: ClickHouseSettings) -> None:
    """At connecting, not at the first use."""
    with pytest.raises(DatabaseError):
        connect(clickhouse_settings, "wrong")


async def test_the_asynchronous_client_asks_the_same_database(
    clickhouse: Client, clickhouse_settings: ClickHouseSettings, password: str
) -> None:
    """For event loops."""
    client = await connect_async(clickhouse_settings, password)
    try:
        assert (await client.query("SELECT count() FROM heartbeats")).result_rows == [(0,)]
    finally:
        await client.close()
    assert clickhouse.database == clickhouse_settings.database
