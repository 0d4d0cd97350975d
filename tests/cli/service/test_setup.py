"""Set-up on a real broker and a real engine: made once, and refused when something does not fit."""

import shutil
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from rich.console import Console

from cli.service.children import Children
from cli.service.download_progress import DownloadProgress
from cli.service.setup import set_up
from fleet.errors import ConflictError
from local.free_ports import free_port
from local.supervisor import Supervisor
from settings import Settings, load
from settings.keys import make_keys, read_password
from storage.client import connect
from storage.epochs import read_epochs
from streams.topic_ids import admin_client, find_topics
from tests.cli.muster import environment, run
from tests.waiting import wait_until

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def place(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables of an engine of this module's own, beside the session's broker."""
    variables = {
        "MUSTER_DATA": str(tmp_path_factory.mktemp("data")),
        "MUSTER_KAFKA": kafka,
        "MUSTER_CLICKHOUSE_PORT": str(free_port()),
    }
    settings = load(variables)
    make_keys(settings.keys_folder)
    supervisor = Supervisor(lambda _: None)
    try:
        children = Children(settings, {**environment(), **variables})
        supervisor.start(children.stores(DownloadProgress(Console(quiet=True))))
        yield variables
    finally:
        supervisor.stop()


@pytest.fixture
def variables(place: dict[str, str]) -> dict[str, str]:
    """The same with a database and topics of this test's own."""
    name = f"t{uuid4().hex[:12]}"
    return {**place, "MUSTER_CLICKHOUSE_DATABASE": name, "MUSTER_KAFKA_TOPIC_PREFIX": name}


@pytest.fixture
def settings(variables: Mapping[str, str]) -> Settings:
    """The settings they make."""
    return load(variables)


@pytest.fixture
def admin(settings: Settings) -> AdminClient:
    """A client for the broker."""
    return admin_client(settings.kafka.bootstrap)


def with_variables(variables: Mapping[str, str], **changed: object) -> Settings:
    """The settings with some changed."""
    return load({**variables, **{f"MUSTER_{name}": str(value) for name, value in changed.items()}})


def epochs_of(settings: Settings) -> list[int]:
    """Numbers of the stored epochs."""
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
    try:
        return [epoch.number for epoch in read_epochs(client, settings.clickhouse.database)]
    finally:
        client.close()


def delete_topic(admin: AdminClient, name: str) -> None:
    """Delete a topic and wait until it is gone."""
    admin.delete_topics([name])[name].result(20)
    deadline = time.monotonic() + 20
    while find_topics(admin, [name]):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def produce(settings: Settings, topic: str) -> None:
    """Put one record into a topic."""
    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap})
    producer.produce(topic, b"record")
    assert producer.flush(20) == 0


def topic_config(admin: AdminClient, topic: str) -> dict[str, str]:
    """What the broker has been told about a topic."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    return {name: entry.value for name, entry in admin.describe_configs([resource])[resource].result(20).items()}


def test_set_up_makes_topics_with_explicit_partitions_time_and_retention(
    settings: Settings, admin: AdminClient
) -> None:
    """Nothing is left to the cluster's defaults."""
    done = set_up(settings, NOW)
    prefix = settings.kafka.topic_prefix
    found = find_topics(admin, done.topics.created)
    assert {name.removeprefix(f"{prefix}."): topic.partitions for name, topic in found.items()} == {
        "heartbeats": 12,
        "commands": 1,
        "feed": 1,
        "dead-letters": 3,
    }
    config = topic_config(admin, f"{prefix}.heartbeats")
    assert config["message.timestamp.type"] == "LogAppendTime"
    assert config["retention.ms"] == str(72 * 3600 * 1000)
    assert config["max.message.bytes"] == "4000000"
    assert epochs_of(settings) == [1]
    assert {life.epoch for life in done.topics.lives.values()} == {1}


def test_set_up_again_changes_nothing(settings: Settings, admin: AdminClient) -> None:
    """Nor does it when the topics hold records."""
    first = set_up(settings, NOW)
    produce(settings, f"{settings.kafka.topic_prefix}.heartbeats")
    before = find_topics(admin, first.topics.created)
    second = set_up(settings, NOW)
    assert second.lines() == ["everything was set up already"]
    assert second.topics.lives == first.topics.lives
    assert find_topics(admin, first.topics.created) == before
    assert epochs_of(settings) == [1]


def test_the_command_does_the_same(variables: dict[str, str]) -> None:
    """`muster setup` says what it made, and the second time that there was nothing to do."""
    plain = {name.removeprefix("MUSTER_"): value for name, value in variables.items()}
    first = run("setup", **plain)
    assert first.returncode == 0, first.stderr
    assert "created topics" in first.stdout
    assert "began epoch 1" in first.stdout
    second = run("setup", **plain)
    assert second.stdout == "everything was set up already\n"


def test_a_topic_made_anew_raises_its_epoch(settings: Settings, admin: AdminClient) -> None:
    """The other topics' positions go on as they were."""
    set_up(settings, NOW)
    commands = f"{settings.kafka.topic_prefix}.commands"
    delete_topic(admin, commands)
    done = set_up(settings, NOW)
    assert done.topics.created == [commands]
    epochs = {name: life.epoch for name, life in done.topics.lives.items()}
    assert epochs.pop(commands) == 2
    assert set(epochs.values()) == {1}
    assert epochs_of(settings) == [1, 2]


def test_records_without_a_database_that_knows_them_are_refused(
    variables: dict[str, str], settings: Settings, admin: AdminClient
) -> None:
    """An emptied ClickHouse would give the old positions to other rows."""
    set_up(settings, NOW)
    heartbeats = f"{settings.kafka.topic_prefix}.heartbeats"
    produce(settings, heartbeats)
    emptied = with_variables(variables, CLICKHOUSE_DATABASE=f"{settings.clickhouse.database}_empty")
    with pytest.raises(ConflictError, match=rf"is empty, but Kafka holds records in {heartbeats}: restore"):
        set_up(emptied, NOW)
    assert epochs_of(emptied) == []
    delete_topic(admin, heartbeats)
    assert set_up(emptied, NOW).topics.created == [heartbeats]


def test_another_partition_count_is_refused(variables: dict[str, str], settings: Settings) -> None:
    """A device's heartbeats would go to another partition and lose their order."""
    set_up(settings, NOW)
    with pytest.raises(ConflictError, match=r"has 12 partitions, not 24.*set MUSTER_HEARTBEATS_PARTITIONS=12"):
        set_up(with_variables(variables, HEARTBEATS_PARTITIONS=24), NOW)


def test_a_database_that_was_set_up_with_other_keys_is_refused(
    variables: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    """Lost keys must be put back, not replaced: the Secrets stored with them open with no others."""
    set_up(settings, NOW)
    others = tmp_path / "keys"
    shutil.copytree(settings.keys_folder, others)
    (others / "installation.key").write_text("ab" * 32)
    with pytest.raises(ConflictError, match="put them back from your copy"):
        set_up(with_variables(variables, KEYS_FOLDER=others), NOW)
    assert not set_up(settings, NOW).topics.created


def test_a_changed_retention_reaches_the_topic(
    variables: dict[str, str], settings: Settings, admin: AdminClient
) -> None:
    """Without a new topic."""
    set_up(settings, NOW)
    assert not set_up(with_variables(variables, HEARTBEATS_RETENTION_H=100), NOW).topics.created
    heartbeats = f"{settings.kafka.topic_prefix}.heartbeats"
    # The broker that took the change may show it a moment later.
    wait_until(lambda: topic_config(admin, heartbeats)["retention.ms"] == str(100 * 3600 * 1000))
