"""An installation of its own for each test: topics and tables on the session's broker and engine, made by set-up."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from clickhouse_connect.driver import Client

from cli.service.setup import set_up
from local.clickhouse.process import ClickHouseEndpoint
from local.free_ports import free_port
from settings import Settings, load
from settings.keys import make_keys, read_password
from storage.client import connect

ROOT = Path(__file__).parents[2]

REPEAT_WITHIN_MS = 400
"""Short, so that a test has repeats and heartbeats that are none without waiting long."""

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the session's passwords and keys."""
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return folder


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Iterator[ClickHouseEndpoint]:
    """A real engine of this session's own. A test that stops it starts it again."""
    with ClickHouseEndpoint(tmp_path_factory.mktemp("clickhouse"), keys, free_port()) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def engine(endpoint: ClickHouseEndpoint, keys: Path) -> dict[str, str]:
    """Variables that point to it."""
    return {"MUSTER_CLICKHOUSE": endpoint.address, "MUSTER_KEYS_FOLDER": str(keys)}


@pytest.fixture
def environ(kafka: str, kafka_replication: int, engine: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Settings of an installation of this test's own, as variables: for child processes too."""
    name = f"t{uuid4().hex[:12]}"
    return {
        **engine,
        "MUSTER_DATA": str(tmp_path),
        "MUSTER_KAFKA": kafka,
        "MUSTER_KAFKA_REPLICATION": str(kafka_replication),
        "MUSTER_KAFKA_TOPIC_PREFIX": name,
        "MUSTER_CLICKHOUSE_DATABASE": name,
        "MUSTER_HEARTBEATS_PARTITIONS": "3",
        "MUSTER_STREAMS_HEARTBEAT_BATCH_MS": "100",
        "MUSTER_STREAMS_SESSION_TIMEOUT_S": "6",
        "MUSTER_STREAMS_HEARTBEATS_METRICS_PORT": "0",
        "MUSTER_STREAMS_COMMANDS_METRICS_PORT": "0",
        "MUSTER_STREAMS_REPEAT_WITHIN_MS": str(REPEAT_WITHIN_MS),
    }


@pytest.fixture
def settings(environ: dict[str, str]) -> Settings:
    """The same, read and set up."""
    settings = load(environ)
    set_up(settings, datetime.now(UTC))
    return settings


@pytest.fixture
def clickhouse(settings: Settings) -> Iterator[Client]:
    """The owner's client to this test's database."""
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
    yield client
    client.close()


@pytest.fixture
def start(environ: Mapping[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts a program as a worker of this test's installation; ends it afterwards and shows its words."""
    workers = []
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}

    def start(arguments: Sequence[str] = ("-m", "streams", "heartbeats"), **variables: str) -> subprocess.Popen[bytes]:
        with (tmp_path / f"worker-{len(workers)}.log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**inherited, **environ, "PYTHONPATH": str(ROOT), **variables},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        workers.append(worker)
        return worker

    yield start
    for number, worker in enumerate(workers):
        worker.kill()
        worker.wait()
        print((tmp_path / f"worker-{number}.log").read_text())  # noqa: T201 - pytest shows it with a failure
