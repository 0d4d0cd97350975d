"""An endpoint of one's own as a child process, as a test needs it; `muster up` runs the same program."""

import os
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, Self

from local.child import Child, Program
from local.errors import LocalError
from local.ports import WantedPort, require_free

_PROBE_WITHIN_S: Final = 1.0


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


class ClickHouseEndpoint:
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
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """Process id of the running endpoint."""
        if self._child is None:
            raise LocalError("the ClickHouse endpoint is not running")
        return self._child.pid

    def start(self, within_s: float = 30.0) -> None:
        """Run it and wait until it answers. Raises LocalError with its last words."""
        require_free([WantedPort("127.0.0.1", self.port, "ClickHouse", "MUSTER_CLICKHOUSE_PORT")])
        log = self._data / "clickhouse.log"
        program = Program(
            name="clickhouse",
            argv=[sys.executable, "-m", "local.clickhouse"],
            env=self._environ,
            log=log,
            is_ready=lambda: answers(self.port),
        )
        self._child = Child(program)
        deadline = time.monotonic() + within_s
        while not program.is_ready():
            if self._child.exit_status() is not None:
                raise LocalError(f"ClickHouse did not start: {self._child.ending()}; its log is {log}")
            if time.monotonic() > deadline:
                self._child.kill()
                raise LocalError(f"ClickHouse did not answer within {within_s:.0f} s; its log is {log}")
            time.sleep(0.05)

    def stop(self, within_s: float = 5.0) -> None:
        """Stop it, cleanly if it does so in time."""
        if self._child is not None:
            self._child.stop(within_s)
            self._child = None

    def kill(self) -> None:
        """End it without a goodbye, as a fault."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
