"""Muster with servers that are not its own: a broker that asks who calls, a ClickHouse behind https."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka.admin import AdminClient

from cli.errors import CommandError
from cli.service.children import Children, wanted_ports
from cli.service.setup import set_up
from fleet.errors import UnavailableError
from local.clickhouse.process import ClickHouseEndpoint
from local.free_ports import free_port, free_ports
from local.kafka.jars import UnseenProgress
from settings import SettingsError, load
from settings.keys import make_keys, read_password
from storage.client import connect
from streams.kafka_producer import KafkaProducer
from streams.kafka_security import kafka_security
from streams.topic_ids import admin_client, find_topics
from tests.api.fleet import Device, Operator
from tests.api.go_client import GoClient
from tests.api.installation import api_process, python_process, until
from tests.api.listeners.authority import Authority, Pair
from tests.outside.secured_broker import PASSWORD, PORTS, USER, SecuredBroker
from tests.outside.tls_proxy import tls_in_front_of
from tests.waiting import eventually

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CERTIFICATE = "certificate"
"""Proof by a client certificate, beside the names of the mechanisms for passwords."""


class Outside(NamedTuple):
    """Servers that are not Muster's own, and what a client of them needs."""

    broker: SecuredBroker
    clickhouse_url: str
    authority: Authority
    client: Pair
    folder: Path

    def variables(self, proof: str) -> dict[str, str]:
        """Settings by which Muster reaches them, proving itself to the broker as named."""
        common = {
            "MUSTER_DATA": str(self.folder / "data"),
            "MUSTER_KAFKA_CA": str(self.authority.file),
            "MUSTER_KAFKA_TOPIC_PREFIX": f"by-{proof.lower()}",
            "MUSTER_CLICKHOUSE": self.clickhouse_url,
            "MUSTER_CLICKHOUSE_CA": str(self.authority.file),
            "MUSTER_CLICKHOUSE_PASSWORD_FILE": str(self.folder / "clickhouse-keys" / "muster"),
            "MUSTER_CLICKHOUSE_DATABASE": f"by_{proof.lower().replace('-', '_')}",
            "MUSTER_STREAMS_HEARTBEATS_METRICS_PORT": "0",
            "MUSTER_STREAMS_COMMANDS_METRICS_PORT": "0",
        }
        if proof == CERTIFICATE:
            pair = {"MUSTER_KAFKA_CERTIFICATE": str(self.client.certificate), "MUSTER_KAFKA_KEY": str(self.client.key)}
            return common | pair | {"MUSTER_KAFKA": self.broker.certificates}
        return common | {
            "MUSTER_KAFKA": self.broker.passwords,
            "MUSTER_KAFKA_USER": USER,
            "MUSTER_KAFKA_PASSWORD_FILE": str(self.folder / "kafka-password"),
            "MUSTER_KAFKA_MECHANISM": proof,
        }


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """Running: a broker that asks who calls, ClickHouse behind https, both with certificates of one CA."""
    folder = tmp_path_factory.mktemp("outside")
    authority = Authority(folder, "servers")
    pair = authority.server()
    (folder / "kafka-password").write_text(PASSWORD)
    make_keys(folder / "clickhouse-keys")
    clickhouse_port = free_port()
    (kafka_port,) = free_ports(1, consecutive=PORTS)
    with ExitStack() as servers:
        broker = servers.enter_context(SecuredBroker(folder / "kafka", kafka_port, pair, authority.file))
        servers.enter_context(ClickHouseEndpoint(folder / "clickhouse", folder / "clickhouse-keys", clickhouse_port))
        tls_port = servers.enter_context(tls_in_front_of(clickhouse_port, pair))
        yield Outside(broker, f"https://127.0.0.1:{tls_port}", authority, authority.host(), folder)


@pytest.fixture
def variables(outside: Outside) -> dict[str, str]:
    """Settings that name both."""
    return outside.variables("SCRAM-SHA-512")


@pytest.mark.parametrize("proof", ["SCRAM-SHA-512", CERTIFICATE])
def test_a_heartbeat_goes_all_the_way_through_outside_servers(outside: Outside, tmp_path: Path, proof: str) -> None:
    """Set-up, enrolment, registration and a heartbeat that an analyst finds; set-up again finds all there."""
    variables = outside.variables(proof)
    settings = load(variables)
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


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_the_other_mechanisms_prove_the_password_too(outside: Outside, mechanism: str) -> None:
    """Topics are made, and another client writes."""
    settings = load(outside.variables(mechanism))
    assert set_up(settings, NOW).topics.created

    async def send() -> int:
        security = kafka_security(settings.kafka)
        producer = KafkaProducer(settings.kafka.bootstrap, 1_000_000, "proof", security=security)
        producer.start()
        await eventually(lambda: producer.is_up)
        offset = await producer.send(f"{settings.kafka.topic_prefix}.commands", 0, b"x")
        await producer.stop(within_s=5)
        return offset

    assert asyncio.run(send()) == 0


def _unknown_ca(outside: Outside) -> dict[str, str]:
    other = str(Authority(outside.folder, "others").file)
    return {"MUSTER_KAFKA_CA": other, "MUSTER_CLICKHOUSE_CA": other}


def test_a_server_of_another_ca_is_not_trusted(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither broker nor database: set-up says which one, and what to look at."""
    monkeypatch.setattr("streams.topic_ids.TIMEOUT_S", 1.0)
    variables = outside.variables(CERTIFICATE)
    other = _unknown_ca(outside)
    with pytest.raises(CommandError, match="not trusted: see MUSTER_CLICKHOUSE_CA"):
        set_up(load(variables | {"MUSTER_CLICKHOUSE_CA": other["MUSTER_CLICKHOUSE_CA"]}), NOW)
    with pytest.raises(UnavailableError):
        find_topics(admin_client_of(variables | {"MUSTER_KAFKA_CA": other["MUSTER_KAFKA_CA"]}), ["any"])


def admin_client_of(variables: dict[str, str]) -> AdminClient:
    """As set-up makes it."""
    kafka = load(variables).kafka
    return admin_client(kafka.bootstrap, kafka_security(kafka))


def test_with_outside_servers_nothing_local_is_started(variables: dict[str, str]) -> None:
    """Neither a broker nor an endpoint, nor are their ports asked for; without them both are."""
    settings = load(variables)
    assert Children(settings, os.environ).stores(UnseenProgress()) == []
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


def test_a_ca_that_is_no_file_is_named(outside: Outside) -> None:
    """Rather than a server that does not answer."""
    variables = outside.variables(CERTIFICATE) | {"MUSTER_CLICKHOUSE_CA": "/no/such/file"}
    with pytest.raises(SettingsError, match=r"MUSTER_CLICKHOUSE_CA=.*there is no such file"):
        set_up(load(variables), NOW)
