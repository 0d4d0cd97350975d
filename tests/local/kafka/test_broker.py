"""A real broker starts, keeps what it acknowledged, and says why when it cannot start."""

from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from local.errors import LocalError
from local.free_ports import free_ports
from local.kafka.broker import KafkaBroker, answers
from local.kafka.configuration import server_properties
from tests.conftest import CACHE


def _produce(bootstrap: str, topic: str, value: bytes) -> None:
    errors = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(20) == 0
    assert errors == [None]


def _first_value(bootstrap: str, topic: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        message = consumer.poll(20)
        assert message is not None
        assert message.error() is None
        return message.value()
    finally:
        consumer.close()


def test_what_was_acknowledged_is_there_after_a_kill_and_on_another_port(tmp_path: Path) -> None:
    """The broker dies without a goodbye, in a folder by a name of any letters."""
    first, second = free_ports(2, consecutive=2)
    data = tmp_path / "a böx of \U0001f4e6"
    broker = KafkaBroker(data, CACHE, first, heap_mib=256)
    broker.start()
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(20)
    _produce(broker.bootstrap, "kept", b"value")
    broker.kill()
    assert not answers(broker.bootstrap)
    with KafkaBroker(data, CACHE, second, heap_mib=256) as again:
        assert _first_value(again.bootstrap, "kept") == b"value"


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    """Its last words and its log, not a silence."""
    (port,) = free_ports(1, consecutive=2)
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "meta.properties").write_text("version=99\n")
    with pytest.raises(LocalError, match=r"kafka did not start: exit status 1: .*kafka\.log"):
        KafkaBroker(tmp_path, CACHE, port, heap_mib=256).start()


def test_a_folder_that_kafka_takes_for_two_is_refused(tmp_path: Path) -> None:
    """It would put half of the records elsewhere."""
    with pytest.raises(LocalError, match=r"comma in its name.*MUSTER_DATA"):
        server_properties(tmp_path / "a,b", 9092, 1_000_000)


def test_topics_are_never_made_unasked(kafka: str) -> None:
    """A misspelt name fails instead of collecting records nobody reads."""
    producer = Producer({"bootstrap.servers": kafka, "message.timeout.ms": 2000})
    errors = []
    producer.produce("misspelt", b"x", on_delivery=lambda error, _: errors.append(error))
    producer.flush(20)
    assert errors[0] is not None
    assert "misspelt" not in producer.list_topics(timeout=20).topics


def test_the_broker_listens_on_loopback_alone(kafka: str) -> None:
    """Nothing on it asks who calls."""
    port = int(kafka.rpartition(":")[2])
    listening = {
        connection.laddr.ip.removeprefix("::ffff:")
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port in {port, port + 1}
    }
    assert listening == {"127.0.0.1"}


def test_records_carry_the_brokers_time_unless_a_topic_says_otherwise(kafka: str) -> None:
    """`received_at` must not depend on a producer's clock."""
    admin = AdminClient({"bootstrap.servers": kafka})
    resource = ConfigResource(ResourceType.BROKER, "1")
    config = admin.describe_configs([resource])[resource].result(20)
    assert config["log.message.timestamp.type"].value == "LogAppendTime"
