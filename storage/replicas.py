"""A ClickHouse of several replicas: whether the settings fit what is there, and what makes a new replica like the rest.

One setting chooses it, for the life of a database: tables do not change from one kind to the other by themselves.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from fleet.errors import ConflictError
from settings import ClickHouseSettings
from storage.replicated_statements import Replicas, again

_NEW_DATABASE: Final = "set MUSTER_CLICKHOUSE_DATABASE to a new database"


class Found(NamedTuple):
    """What the servers say: Muster's own tables by how they are kept, and what replicated ones need."""

    plain: list[str]
    replicated: list[str]
    shards: Mapping[str, int] = {}
    """How many each cluster has, by its name."""
    macros: frozenset[str] = frozenset()
    has_keeper: bool = False


def replicas_of(settings: ClickHouseSettings) -> Replicas | None:
    """Where the settings want the tables; None for a single server."""
    return Replicas(settings.cluster, settings.user) if settings.replicated else None


def require_fit(client: Client, settings: ClickHouseSettings) -> None:
    """Raises ConflictError when the tables are not as the settings say, or cannot become so. Changes nothing."""
    reason = misfit(settings, look_around(client, settings))
    if reason:
        raise ConflictError(reason)


def misfit(settings: ClickHouseSettings, found: Found) -> str | None:
    """Why these settings cannot be used there, and what to set; None when they can."""
    return next(_misfits(settings, found), None)


def _misfits(settings: ClickHouseSettings, found: Found) -> Iterator[str]:
    wish = "MUSTER_CLICKHOUSE_REPLICATED=true"
    if not settings.replicated:
        if found.replicated:
            yield (
                f"the database {settings.database} has replicated tables ({_some(found.replicated)}): set {wish} and"
                f" MUSTER_CLICKHOUSE_CLUSTER, or {_NEW_DATABASE}"
            )
        return
    if settings.is_local:
        yield f"{wish} needs servers of your own, and the local endpoint is one: set MUSTER_CLICKHOUSE"
    if found.plain:
        yield (
            f"{wish}, but the database {settings.database} has tables that are not replicated ({_some(found.plain)}):"
            f" unset it, or {_NEW_DATABASE}, or convert the tables as ClickHouse's documentation says"
        )
    if settings.cluster not in found.shards:
        known = f": set MUSTER_CLICKHOUSE_CLUSTER to one of {', '.join(found.shards)}" if found.shards else ""
        yield f"{wish}, but ClickHouse knows no cluster {settings.cluster} (remote_servers){known}"
    elif found.shards[settings.cluster] != 1:
        yield (
            f"{wish}, but the cluster {settings.cluster} has {found.shards[settings.cluster]} shards, and Muster's"
            " tables are whole on each replica: set MUSTER_CLICKHOUSE_CLUSTER to one with a single shard"
        )
    missing = sorted({"shard", "replica"} - found.macros)
    if missing:
        yield f"{wish}, but ClickHouse has no macro {' and no macro '.join(missing)}: give each server its own (macros)"
    if not found.has_keeper:
        yield f"{wish}, but ClickHouse reaches no Keeper: name one in its configuration (zookeeper)"


def look_around(client: Client, settings: ClickHouseSettings) -> Found:
    """Ask the server; only about its tables when it is to be a single one. Raises clickhouse_connect's errors."""
    tables = client.query(
        "SELECT name, startsWith(engine, 'Replicated') FROM system.tables"
        " WHERE database = {database:String} AND engine LIKE '%MergeTree' AND name NOT LIKE '.%' ORDER BY name",
        parameters={"database": settings.database},
    ).result_rows
    plain = [name for name, is_replicated in tables if not is_replicated]
    replicated = [name for name, is_replicated in tables if is_replicated]
    if not settings.replicated:
        return Found(plain, replicated)
    shards = client.query("SELECT cluster, uniqExact(shard_num) FROM system.clusters GROUP BY cluster ORDER BY cluster")
    macros = client.query("SELECT macro FROM system.macros")
    return Found(
        plain,
        replicated,
        shards={name: int(shards) for name, shards in shards.result_rows},
        macros=frozenset(name for (name,) in macros.result_rows),
        has_keeper=_has_keeper(client),
    )


def complete_replicas(client: Client, database: str, replicas: Replicas) -> list[str]:
    """Make what some replicas lack of the tables and views this one has, as on one that was put in later.

    Their names. Rows come by themselves. Raises clickhouse_connect's errors.
    """
    lacking = client.query(
        "SELECT name FROM clusterAllReplicas({cluster:String}, system.tables) WHERE database = {database:String}"
        " GROUP BY name HAVING uniqExact(hostName(), tcpPort())"
        " < (SELECT count() FROM system.clusters WHERE cluster = {cluster:String})",
        parameters={"database": database, "cluster": replicas.cluster},
    )
    names = {name for (name,) in lacking.result_rows}
    if not names:
        return []
    own = client.query(
        "SELECT name, create_table_query FROM system.tables WHERE database = {database:String}"
        " ORDER BY engine LIKE '%View', metadata_modification_time",
        parameters={"database": database},
    )
    made = []
    for name, statement in own.result_rows:
        if name in names:
            client.command(again(statement, replicas))
            made.append(name)
    return made


def _has_keeper(client: Client) -> bool:
    """The table is there only where Keeper is configured, and answers only where it is reached."""
    try:
        client.query("SELECT count() FROM system.zookeeper WHERE path = '/'")
    except DatabaseError:
        return False
    return True


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown}, …" if len(names) > 3 else shown  # noqa: PLR2004 - enough to recognise them
