"""What real brokers say about topics: which exist, who they are and whether they hold anything."""

import time
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from fleet.errors import UnavailableError
from local.free_ports import free_port
from streams import topic_ids
from streams.topic_ids import admin_client, find_topics, topics_with_records


@pytest.fixture
def admin(kafka: str) -> AdminClient:
    """A client for the session's broker."""
    return admin_client(kafka)


@pytest.fixture
def topic(admin: AdminClient) -> str:
    """A new topic of three partitions."""
    name = f"t{uuid4().hex}"
    _create(admin, name)
    return name


def _create(admin: AdminClient, name: str) -> None:
    admin.create_topics([NewTopic(name, 3, 1)])[name].result(20)
    _wait_until(admin, name, there=True)


def _wait_until(admin: AdminClient, name: str, *, there: bool) -> None:
    deadline = time.monotonic() + 20
    while (name in find_topics(admin, [name])) is not there:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_only_topics_that_exist_are_found(admin: AdminClient, topic: str) -> None:
    """A missing one is no error: set-up makes it."""
    found = find_topics(admin, [topic, f"{topic}-missing"])
    assert list(found) == [topic]
    assert found[topic].partitions == 3


def test_a_topic_made_anew_has_another_id(admin: AdminClient, topic: str) -> None:
    """Though name and partitions are the same."""
    before = find_topics(admin, [topic])[topic]
    admin.delete_topics([topic])[topic].result(20)
    _wait_until(admin, topic, there=False)
    _create(admin, topic)
    after = find_topics(admin, [topic])[topic]
    assert after.topic_id != before.topic_id
    assert after.partitions == before.partitions


def test_a_record_in_any_partition_is_noticed(admin: AdminClient, kafka: str, topic: str) -> None:
    """Also if only the last one holds it."""
    found = find_topics(admin, [topic])
    assert topics_with_records(admin, found) == []
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(topic, b"record", partition=2)
    assert producer.flush(20) == 0
    assert topics_with_records(admin, found) == [topic]


def test_brokers_that_do_not_answer_are_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a bounded wait."""
    monkeypatch.setattr(topic_ids, "TIMEOUT_S", 0.5)
    with pytest.raises(UnavailableError, match="Kafka does not do as asked"):
        find_topics(admin_client(f"127.0.0.1:{free_port()}"), ["any"])
