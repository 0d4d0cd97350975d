"""Makes the database what this version needs: migrations in the order of their names, each once, then retention.

A migration is a file `migrations/NNNN_name.sql` of statements separated by a semicolon and an empty line, in which
`{database}` stands for the database's name. Each statement may be repeated without harm, because a set-up may die
between a statement and the note in `schema_migrations`. A published migration never changes. On several replicas each
statement is run on all of them (`storage.replicated_statements`).
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

from clickhouse_connect.driver import Client

from settings import ClickHouseSettings, RetentionSettings
from storage.client import connect
from storage.replicas import complete_replicas, replicas_of, require_fit
from storage.replicated_statements import Replicas, quoted, replicated


class Migration(NamedTuple):
    """One file of `migrations`; `name` without its suffix."""

    name: str
    statements: list[str]


def set_up_schema(settings: ClickHouseSettings, password: str, retention: RetentionSettings) -> list[str]:
    """Create the database, apply what is missing, set how long tables keep rows; the names of applied migrations.

    Also those of tables that a new replica lacked. Blocks. Only one set-up may run at a time. Raises ConflictError when
    what is there does not fit the settings, and clickhouse_connect's errors; may be repeated after any.
    """
    client = connect(settings, password, database="default")
    replicas = replicas_of(settings)
    try:
        require_fit(client, settings)
        on_cluster = f" ON CLUSTER {quoted(replicas.cluster)}" if replicas else ""
        client.command(f"CREATE DATABASE IF NOT EXISTS {settings.database}{on_cluster}")
        completed = complete_replicas(client, settings.database, replicas) if replicas else []
        applied = [
            *(f"{name} on a new replica" for name in completed),
            *_apply_migrations(client, settings.database, replicas),
        ]
        _apply_retention(client, settings.database, retention)
        return applied
    finally:
        client.close()


def migrations(database: str, replicas: Replicas | None = None) -> Iterator[Migration]:
    """Every migration, in order; for a single server or for replicas."""
    folder = files("storage") / "migrations"
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".sql"):
            text = file.read_text("utf-8").replace("{database}", database)
            name = file.name.removesuffix(".sql")
            parts = [part.strip().removesuffix(";") for part in text.split(";\n\n") if part.strip()]
            yield Migration(name, [replicated(each, name, database, replicas) for each in parts] if replicas else parts)


def _apply_migrations(client: Client, database: str, replicas: Replicas | None) -> list[str]:
    notes = (
        f"CREATE TABLE IF NOT EXISTS {database}.schema_migrations ("
        " name String COMMENT 'File of the migration without its suffix',"
        " applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was applied, UTC, to the millisecond'"
        ") ENGINE = ReplacingMergeTree ORDER BY name COMMENT 'Migrations this database has had'"
    )
    client.command(replicated(notes, "0000_notes", database, replicas) if replicas else notes)
    query = "SELECT name FROM {database:Identifier}.schema_migrations"
    known = {name for (name,) in client.query(query, parameters={"database": database}).result_rows}
    applied = []
    for migration in migrations(database, replicas):
        if migration.name in known:
            continue
        for statement in migration.statements:
            client.command(statement)
        client.insert("schema_migrations", [[migration.name]], ["name"], database=database)
        applied.append(migration.name)
    return applied


def _apply_retention(client: Client, database: str, retention: RetentionSettings) -> None:
    """Change a table's TTL only where it differs, since a change makes ClickHouse go through its rows."""
    days_by_table = {
        ("heartbeats_log", "received_at"): retention.heartbeats_days,
        ("device_transitions_log", "received_at"): retention.transitions_days,
        ("workload_transitions_log", "received_at"): retention.transitions_days,
        ("device_events_log", "received_at"): retention.events_days,
        ("fleet_minutes_state", "minute"): retention.minutes_days,
    }
    query = "SELECT name, engine_full FROM system.tables WHERE database = {database:String}"
    engines = dict(client.query(query, parameters={"database": database}).result_rows)
    for (table, column), days in days_by_table.items():
        has_ttl = " TTL " in engines[table]
        if days and f"toIntervalDay({days})" not in engines[table]:
            client.command(f"ALTER TABLE {database}.{table} MODIFY TTL toDateTime({column}) + toIntervalDay({days})")
        elif not days and has_ttl:
            client.command(f"ALTER TABLE {database}.{table} REMOVE TTL")
