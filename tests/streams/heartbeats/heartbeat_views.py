"""What an analyst sees of heartbeats: every view, in the shape of the ledger."""

import json
from typing import Any

from clickhouse_connect.driver import Client

from tests.streams.heartbeats.heartbeat_ledger import COLUMNS


def shown(clickhouse: Client) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of each view, sorted."""
    views = {
        view: [tuple(row) for row in clickhouse.query(f"SELECT {columns} FROM {view}").result_rows]
        for view, columns in COLUMNS.items()
    }
    views["hardware"] = [(*row[:-1], json.dumps(json.loads(row[-1]), sort_keys=True)) for row in views["hardware"]]
    return {view: sorted(rows, key=repr) for view, rows in views.items()}
