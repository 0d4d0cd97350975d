"""`python -m benchmarks.peers.engine_load FOLDER FILE FORMAT`: the engine itself loads rows of heartbeats from a file.

Into the same tables as Muster makes, views included, by one INSERT … FROM INFILE … FORMAT, with nobody in between: the
limit of what any writer can reach. Prints the seconds, the processor seconds and the rows, as JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Final

import chdb

from storage.heartbeats import HEARTBEATS
from storage.schema import migrations

_DATABASE: Final = "muster"


def load(folder: Path, file: Path, input_format: str) -> dict[str, float]:
    """Load it into a fresh engine on `folder`."""
    engine = chdb.connect(str(folder))
    engine.query(f"CREATE DATABASE {_DATABASE}")
    for migration in migrations(_DATABASE):
        for statement in migration.statements:
            engine.query(statement)
    columns = ", ".join(HEARTBEATS.columns)
    before, began = _processor_s(), time.monotonic()
    engine.query(f"INSERT INTO {_DATABASE}.{HEARTBEATS.name} ({columns}) FROM INFILE '{file}' FORMAT {input_format}")
    took_s, processor_s = time.monotonic() - began, _processor_s() - before
    rows = int(engine.query(f"SELECT count() FROM {_DATABASE}.heartbeats", "TSV").bytes())  # noqa: S608 - our own name
    engine.close()
    return {"seconds": took_s, "processor_s": processor_s, "rows": rows}


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    folder_, file_, format_ = sys.argv[1:]
    sys.stdout.write(json.dumps(load(Path(folder_), Path(file_), format_)) + "\n")
