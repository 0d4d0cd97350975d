"""`python -m benchmarks.peers.engine_load FOLDER FORMAT TABLE…`: the engine itself loads the rows of tables from files.

The files are `FOLDER/TABLE.FORMAT`. Into the same tables as Muster makes, views included, one INSERT … FROM INFILE …
FORMAT a table, with nobody in between: the limit of what any writer can reach. Prints for each table the seconds, the
processor seconds and the rows, as JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Final

import chdb

from storage.schema import migrations
from streams.heartbeats.tables import WRITTEN

_DATABASE: Final = "muster"


def load(folder: Path, input_format: str, tables: list[str]) -> dict[str, dict[str, float]]:
    """Load them into a fresh engine on a folder of its own in `folder`."""
    engine = chdb.connect(str(folder / f"engine-{input_format}"))
    engine.query(f"CREATE DATABASE {_DATABASE}")
    for migration in migrations(_DATABASE):
        for statement in migration.statements:
            engine.query(statement)
    loaded = {}
    for table in tables:
        columns = ", ".join(next(each.columns for each in WRITTEN if each.name == table))
        file = folder / f"{table}.{input_format}"
        before, began = _processor_s(), time.monotonic()
        engine.query(f"INSERT INTO {_DATABASE}.{table} ({columns}) FROM INFILE '{file}' FORMAT {input_format}")
        took_s, processor_s = time.monotonic() - began, _processor_s() - before
        rows = int(engine.query(f"SELECT count() FROM {_DATABASE}.{table} FINAL", "TSV").bytes())  # noqa: S608 - ours
        loaded[table] = {"seconds": took_s, "processor_s": processor_s, "rows": rows}
    engine.close()
    return loaded


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    folder_, format_, *tables_ = sys.argv[1:]
    sys.stdout.write(json.dumps(load(Path(folder_), format_, tables_)) + "\n")
