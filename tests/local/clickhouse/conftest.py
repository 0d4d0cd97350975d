"""Real endpoints: one for all tests here, one with narrow limits."""

from collections.abc import Callable, Iterator
from pathlib import Path

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver import Client

from local.clickhouse.process import ClickHouseEndpoint
from local.free_ports import free_port

PASSWORDS = {"muster": "owner-password", "analyst": "analyst-password"}

NARROW = {
    "MUSTER_CLICKHOUSE_QUERY_MEMORY_MIB": "100",
    "MUSTER_CLICKHOUSE_QUERY_TIMEOUT_S": "2",
    "MUSTER_CLICKHOUSE_BODY_LIMIT_MIB": "4",
    "MUSTER_CLICKHOUSE_RESULT_LIMIT_MIB": "1",
    "MUSTER_CLICKHOUSE_OWNER_QUERIES": "4",
    "MUSTER_CLICKHOUSE_ANALYST_QUERIES": "1",
    "MUSTER_CLICKHOUSE_WAITING_QUERIES": "2",
}

OpenClient = Callable[..., Client]


def write_keys(folder: Path) -> Path:
    """A keys folder with both passwords."""
    folder.mkdir(parents=True, exist_ok=True)
    for user, password in PASSWORDS.items():
        (folder / user).write_text(f"{password}\n")
    return folder


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseEndpoint]:
    """An endpoint with the default limits and a database `muster`."""
    folder = tmp_path_factory.mktemp("clickhouse")
    with ClickHouseEndpoint(folder / "data", write_keys(folder / "keys"), free_port()) as running:
        _ask(running, "CREATE DATABASE muster")
        yield running


@pytest.fixture(scope="session")
def narrow_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseEndpoint]:
    """An endpoint whose limits are quickly met."""
    folder = tmp_path_factory.mktemp("narrow-clickhouse")
    with ClickHouseEndpoint(folder / "data", write_keys(folder / "keys"), free_port(), NARROW) as running:
        _ask(running, "CREATE DATABASE muster")
        yield running


@pytest.fixture
def http(endpoint: ClickHouseEndpoint) -> Iterator[httpx.Client]:
    """The owner with plain HTTP."""
    with httpx.Client(base_url=endpoint.address, auth=("muster", PASSWORDS["muster"]), timeout=30) as client:
        yield client


@pytest.fixture
def analyst(endpoint: ClickHouseEndpoint) -> Iterator[httpx.Client]:
    """An analyst with plain HTTP."""
    with httpx.Client(base_url=endpoint.address, auth=("analyst", PASSWORDS["analyst"]), timeout=30) as client:
        yield client


@pytest.fixture
def open_client(endpoint: ClickHouseEndpoint) -> Iterator[OpenClient]:
    """Opens clickhouse_connect clients, the owner's unless told otherwise."""
    opened: list[Client] = []

    def open_one(user: str = "muster", port: int = endpoint.port, **arguments: object) -> Client:
        client = clickhouse_connect.get_client(
            host="127.0.0.1", port=port, username=user, password=PASSWORDS[user], **arguments
        )
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        client.close()


@pytest.fixture
def table(http: httpx.Client) -> Iterator[str]:
    """A table of two columns, for one test."""
    name = "muster.readings"
    http.post("/", content=f"CREATE TABLE {name} (device String, value UInt64) ENGINE = MergeTree ORDER BY device")
    yield name
    http.post("/", content=f"DROP TABLE {name} SYNC")


def _ask(running: ClickHouseEndpoint, statement: str) -> None:
    httpx.post(running.address, content=statement, auth=("muster", PASSWORDS["muster"])).raise_for_status()
