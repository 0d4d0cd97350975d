"""One installation for the tests of the client commands: real broker and engine, real workers, a real API process."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from subprocess import CompletedProcess
from typing import NamedTuple

import pytest

from cli.service.setup import set_up
from local.clickhouse.process import ClickHouseEndpoint
from local.free_ports import free_port
from settings import load
from settings.keys import make_keys
from tests.api.installation import api_process, python_process
from tests.cli.muster import run


class Served(NamedTuple):
    """A running installation, as its variables."""

    variables: dict[str, str]

    @property
    def url(self) -> str:
        """Where the API listens."""
        return f"http://127.0.0.1:{self.variables['MUSTER_HTTP_PORT']}"

    def muster(self, *arguments: str) -> CompletedProcess[str]:
        """Run a command against it."""
        return run(*arguments, **{name.removeprefix("MUSTER_"): value for name, value in self.variables.items()})


@pytest.fixture(scope="session")
def served(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """API, deciding worker and heartbeat worker on topics, tables and keys of their own."""
    data = tmp_path_factory.mktemp("served")
    variables = {
        "MUSTER_DATA": str(data),
        "MUSTER_KAFKA": kafka,
        "MUSTER_KAFKA_TOPIC_PREFIX": "client-commands",
        "MUSTER_HEARTBEATS_PARTITIONS": "3",
        "MUSTER_CLICKHOUSE_PORT": str(free_port()),
    }
    settings = load(variables)
    make_keys(settings.keys_folder)
    with ClickHouseEndpoint(data / "clickhouse", settings.keys_folder, settings.clickhouse.port):
        set_up(settings, datetime.now(UTC))
        with (
            python_process(["streams", "commands"], variables, data / "commands.log"),
            python_process(["streams", "heartbeats"], variables, data / "heartbeats.log"),
            api_process(variables, data / "api.log") as api,
        ):
            yield Served({**variables, "MUSTER_HTTP_PORT": str(api.port)})


@pytest.fixture(scope="session")
def muster(served: Served) -> Callable[..., str]:
    """Run a command that must succeed; its output, without what went to standard error."""

    def succeed(*arguments: str) -> str:
        done = served.muster(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return succeed
