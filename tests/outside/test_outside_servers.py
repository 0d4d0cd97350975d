"""Muster with servers that are not its own: a broker that asks for TLS and a password, a ClickHouse behind a URL."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.service.children import Children, wanted_ports
from cli.service.setup import set_up
from local.clickhouse.process import ClickHouseEndpoint
from settings import SettingsError, load
from settings.keys import make_keys, read_password
from storage.client import connect
from streams.kafka_security import kafka_security
from tests.api.fleet import Device, Operator
from tests.api.go_client import GoClient
from tests.api.installation import api_process, python_process, until
from tests.api.listeners.authority import Authority
from tests.conftest import CACHE
from tests.outside.secured_broker import PASSWORD, USER, SecuredBroker
from tests.ports import free_port, free_ports

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Settings that name both, with their servers running."""
    folder = tmp_path_factory.mktemp("outside")
    authority = Authority(folder, "brokers")
    password_file = folder / "kafka-password"
    password_file.write_text(PASSWORD)
    make_keys(folder / "clickhouse-keys")
    clickhouse_port = free_port()
    (kafka_port,) = free_ports(1, consecutive=3)
    with ExitStack() as servers:
        broker = servers.enter_context(SecuredBroker(folder / "kafka", CACHE, kafka_port, authority.server()))
        servers.enter_context(ClickHouseEndpoint(folder / "clickhouse", folder / "clickhouse-keys", clickhouse_port))
        yield {
            "MUSTER_DATA": str(folder / "data"),
            "MUSTER_KAFKA": broker.secured,
            "MUSTER_KAFKA_CA": str(authority.file),
            "MUSTER_KAFKA_USER": USER,
            "MUSTER_KAFKA_PASSWORD_FILE": str(password_file),
            "MUSTER_KAFKA_MECHANISM": "PLAIN",
            "MUSTER_CLICKHOUSE": f"http://127.0.0.1:{clickhouse_port}",
            "MUSTER_CLICKHOUSE_PASSWORD_FILE": str(folder / "clickhouse-keys" / "muster"),
            "MUSTER_CLICKHOUSE_DATABASE": "elsewhere",
            "MUSTER_STREAMS_HEARTBEATS_METRICS_PORT": "0",
            "MUSTER_STREAMS_COMMANDS_METRICS_PORT": "0",
        }


def test_a_heartbeat_goes_all_the_way_through_outside_servers(variables: dict[str, str], tmp_path: Path) -> None:
    """Set-up, enrolment, registration and a heartbeat that an analyst finds; set-up again finds all there."""
    settings = load(variables)
    assert "elsewhere" in settings.clickhouse.database
    assert set_up(settings, NOW).topics.created
    assert set_up(settings, NOW).lines() == ["everything was set up already"]
    with (
        python_process(["streams", "commands"], variables, tmp_path / "commands.log"),
        python_process(["streams", "heartbeats"], variables, tmp_path / "heartbeats.log"),
        api_process(variables, tmp_path / "api.log") as api,
        GoClient(api.port) as edge,
        Operator(api.url) as operator,
    ):
        device = Device(edge, operator).become("registered")
        assert device.beat(status="up").status == 200
        client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
        query = "SELECT status FROM device_status WHERE device_id = {id:String}"
        found = until(
            lambda: client.query(query, parameters={"id": device.device_id}).result_rows,
            30,
            (tmp_path / "heartbeats.log").read_text,
        )
        client.close()
    assert found == [("up",)]


def test_with_outside_servers_nothing_local_is_started(variables: dict[str, str]) -> None:
    """Neither a broker nor an endpoint, nor are their ports asked for; without them both are."""
    settings = load(variables)
    assert Children(settings, os.environ).stores(_Silent()) == []
    assert [port.setting for port in wanted_ports(settings)] == ["MUSTER_HTTP_PORT"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"MUSTER_KAFKA_USER": ""}, "MUSTER_KAFKA_USER"),
        ({"MUSTER_KAFKA_CA": "/no/such/file"}, "MUSTER_KAFKA_CA"),
        ({"MUSTER_KAFKA_KEY": "/no/such/file"}, "MUSTER_KAFKA_CERTIFICATE"),
    ],
)
def test_half_of_the_credentials_is_refused(variables: dict[str, str], change: dict[str, str], named: str) -> None:
    """With the variables to look at."""
    with pytest.raises(SettingsError, match=named):
        kafka_security(load(variables | change).kafka)


class _Silent:
    """Takes progress and shows none."""

    def expect(self, files: int, size_bytes: int) -> None:
        """Nothing is downloaded."""

    def advance(self, size_bytes: int) -> None:
        """Nothing arrives."""

    def note(self, line: str) -> None:
        """Nothing is said."""
