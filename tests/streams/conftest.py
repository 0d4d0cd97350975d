"""An installation of its own for each test: topics and tables on the session's broker and engine, made by set-up."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from clickhouse_connect.driver import Client

from cli.setup import set_up
from local.clickhouse.process import ClickHouseEndpoint
from settings import Settings, load
from settings.keys import make_keys, read_password
from storage.client import connect
from tests.ports import free_port


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables that point to a real engine of this session's own."""
    data = tmp_path_factory.mktemp("clickhouse")
    keys = data / "keys"
    make_keys(keys)
    with ClickHouseEndpoint(data, keys, free_port()) as endpoint:
        yield {"MUSTER_CLICKHOUSE": endpoint.address, "MUSTER_KEYS_FOLDER": str(keys)}


@pytest.fixture
def environ(kafka: str, engine: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Settings of an installation of this test's own, as variables: for child processes too."""
    name = f"t{uuid4().hex[:12]}"
    return {
        **engine,
        "MUSTER_DATA": str(tmp_path),
        "MUSTER_KAFKA": kafka,
        "MUSTER_KAFKA_TOPIC_PREFIX": name,
        "MUSTER_CLICKHOUSE_DATABASE": name,
        "MUSTER_HEARTBEATS_PARTITIONS": "3",
        "MUSTER_STREAMS_HEARTBEAT_BATCH_MS": "100",
        "MUSTER_STREAMS_SESSION_TIMEOUT_S": "6",
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
