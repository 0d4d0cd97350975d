"""An endpoint of one's own as a child process, as a test needs it; `muster up` runs the same program."""

import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from local.child import Program
from local.own_child import OwnChild
from local.ports import WantedPort, require_free

_PROBE_WITHIN_S: Final = 1.0
_READY_WITHIN_S: Final = 30.0


def answers(port: int) -> bool:
    """Whether an endpoint there answers /ping. Takes a second at most."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_PROBE_WITHIN_S)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().read() == b"Ok.\n"
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


class ClickHouseEndpoint(OwnChild):
    """An endpoint of one's own: `with ClickHouseEndpoint(data, keys, port) as endpoint: … endpoint.address`.

    `data` is a MUSTER_DATA; `keys` holds the password files `muster` and `analyst`; `variables` are further MUSTER_*.
    """

    def __init__(self, data: Path, keys: Path, port: int, variables: Mapping[str, str] | None = None) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.keys = keys
        self._data = data
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
        self._environ = {
            **inherited,
            "MUSTER_DATA": str(data),
            "MUSTER_KEYS_FOLDER": str(keys),
            "MUSTER_CLICKHOUSE_PORT": str(port),
            **(variables or {}),
        }

    def program(self) -> Program:
        """Refuses a port in use at once, which the endpoint itself would only tell in its log."""
        require_free([WantedPort("127.0.0.1", self.port, "ClickHouse", "MUSTER_CLICKHOUSE_PORT")])
        return Program(
            name="clickhouse",
            argv=[sys.executable, "-m", "local.clickhouse"],
            env=self._environ,
            log=self._data / "clickhouse.log",
            is_ready=lambda: answers(self.port),
            ready_within_s=_READY_WITHIN_S,
        )
