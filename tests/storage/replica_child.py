"""One replica's engine, a process of its own as an engine is: makes the schema and tells what became of it.

`python -m tests.storage.replica_child FOLDER REPLICA KEEPER_PORT`. The statements are those of set-up but for `ON
CLUSTER`, since this engine has no port at which another could ask it; for want of it the tables take no rows and no
changes, which are left out, so that a view of a column that was added later cannot be made.
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

LATER_COLUMN = "(UNKNOWN_IDENTIFIER)"
"""What the engine says of a view that shows one."""


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
            if not statement.startswith("CREATE"):
                continue
            try:
                engine.query(statement.replace(f" ON CLUSTER '{CLUSTER}'", ""))
            except RuntimeError as error:
                if "VIEW" not in statement.partition("\n")[0] or LATER_COLUMN not in str(error):
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
