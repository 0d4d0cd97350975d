"""One installation for the tests of the API: a real broker and engine, the real deciding worker, a real API process."""

import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from cli.service.setup import set_up
from fleet.devices.states import DeviceIdentity
from local.clickhouse.process import ClickHouseEndpoint
from local.free_ports import free_port
from settings import load
from settings.keys import make_keys, read_password
from storage.client import connect
from storage.decisions import load_state
from tests.api.fleet import Device, Operator
from tests.api.go_client import GoClient
from tests.api.installation import Api, api_process, python_process

Worker = subprocess.Popen[bytes]
StoredIdentity = Callable[[Device], DeviceIdentity]
StoredEvents = Callable[[Device], list[tuple[str, str, str]]]
"""Type, reason and source of a device's events, oldest first."""

_EVENTS = "SELECT type, reason, source FROM device_events WHERE device_id = {device_id:String} ORDER BY received_at"


@pytest.fixture(scope="session")
def variables(kafka: str, kafka_replication: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """`MUSTER_*` variables of an installation that is set up."""
    data = tmp_path_factory.mktemp("api-data")
    variables = {
        "MUSTER_DATA": str(data),
        "MUSTER_KAFKA": kafka,
        "MUSTER_KAFKA_REPLICATION": str(kafka_replication),
        "MUSTER_KAFKA_TOPIC_PREFIX": "api-tests",
        "MUSTER_CLICKHOUSE_PORT": str(free_port()),
    }
    settings = load(variables)
    make_keys(settings.keys_folder)
    with ClickHouseEndpoint(data / "clickhouse", settings.keys_folder, settings.clickhouse.port):
        set_up(settings, datetime(2026, 11, 22, 12, tzinfo=UTC))
        yield variables


@pytest.fixture
def fresh(variables: dict[str, str]) -> dict[str, str]:
    """Variables of an installation of the test's own on the same broker and engine, set up."""
    name = f"t{uuid4().hex[:12]}"
    fresh = {**variables, "MUSTER_CLICKHOUSE_DATABASE": name, "MUSTER_KAFKA_TOPIC_PREFIX": name}
    set_up(load(fresh), datetime(2026, 11, 22, 12, tzinfo=UTC))
    return fresh


@pytest.fixture
def stored_identity(variables: dict[str, str]) -> Iterator[StoredIdentity]:
    """Reads a device's identity from the database."""
    settings = load(variables)
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
    yield lambda device: load_state(client, "default").identities[device.device_id]
    client.close()


@pytest.fixture
def stored_events(variables: dict[str, str]) -> Iterator[StoredEvents]:
    """Reads a device's events as an analyst does."""
    settings = load(variables)
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))

    def read(device: Device) -> list[tuple[str, str, str]]:
        rows = client.query(_EVENTS, parameters={"device_id": device.device_id}).result_rows
        return [(str(row[0]), str(row[1]), str(row[2])) for row in rows]

    yield read
    client.close()


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the processes' logs."""
    return tmp_path_factory.mktemp("api-logs")


@pytest.fixture(scope="session")
def deciding(variables: dict[str, str], logs: Path) -> Iterator[Worker]:
    """The deciding worker runs."""
    with python_process(["streams", "commands"], variables, logs / "commands.log") as process:
        yield process


@pytest.fixture(scope="session")
def api(variables: dict[str, str], deciding: Worker, logs: Path) -> Iterator[Api]:  # noqa: ARG001
    """An API process that is ready."""
    with api_process(variables, logs / "api.log") as running:
        yield running


@pytest.fixture
def edge(api: Api) -> Iterator[GoClient]:
    """A connection of the Edge API."""
    with GoClient(api.port) as client:
        yield client


@pytest.fixture(scope="session")
def operator(api: Api) -> Iterator[Operator]:
    """An operator at the same process."""
    with Operator(api.url) as operator:
        operator.add_namespace("shops")
        yield operator


@pytest.fixture
def device(edge: GoClient, operator: Operator) -> Device:
    """A device nobody has heard of."""
    return Device(edge, operator)


@pytest.fixture
def registered(device: Device) -> Device:
    """A registered device."""
    return device.become("registered")
