"""One replica's engine, a process of its own as an engine is: makes the schema and tells what became of it.

`python -m tests.storage.replica_child FOLDER REPLICA KEEPER_PORT`. The statements are those of set-up but for `ON
CLUSTER`, since this engine has no port at which another could ask it; for want of it the tables take no rows and no
ALTERs either, so that a view of a column that was added later is not made.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import chdb

from storage.replicated_statements import Replicas
from storage.schema import migrations

CLUSTER = "replicas"


def is_for_want_of_the_port(statement: str, said: str) -> bool:
    """Whether the engine would have done it as one of several servers."""
    if statement.startswith("CREATE OR REPLACE VIEW"):
        return "(UNKNOWN_IDENTIFIER)" in said
    return "(TABLE_IS_READ_ONLY)" in said and not statement.startswith("CREATE")


def main(folder: Path, replica: str, keeper_port: str) -> None:
    """Prints the statements that failed and the tables as JSON."""
    config = folder / f"{replica}.xml"
    config.write_text(
        f"<clickhouse><macros><shard>1</shard><replica>{replica}</replica></macros>"
        f"<zookeeper><node><host>127.0.0.1</host><port>{keeper_port}</port></node></zookeeper></clickhouse>"
    )
    engine = chdb.connect(f"{folder / replica}?config-file={config}")
    engine.query("CREATE DATABASE fleet")
    failed = []
    for migration in migrations("fleet", Replicas(CLUSTER, "default")):
        for statement in migration.statements:
            try:
                engine.query(statement.replace(f" ON CLUSTER '{CLUSTER}'", ""))
            except RuntimeError as error:
                if not is_for_want_of_the_port(statement, str(error)):
                    failed.append(f"{migration.name}: {error}")
    told = {
        "failed": failed,
        "replicas": dict(_rows(engine, "SELECT table, total_replicas FROM system.replicas")),
        "plain": _rows(
            engine,
            "SELECT name FROM system.tables WHERE database = 'fleet' AND match(engine, '^(Replac|Aggreg|Summ|Merge)')",
        ),
    }
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()
    # Its threads would go on trying to become active.
    os._exit(0)


def _rows(engine: Any, query: str) -> list[Any]:
    found: list[Any] = json.loads(str(engine.query(query, "JSONCompact")))["data"]
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
