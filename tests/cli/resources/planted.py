"""A value that must not be found anywhere, and the places where it is looked for."""

import json
from base64 import b64encode
from pathlib import Path
from secrets import token_hex
from subprocess import CompletedProcess

from clickhouse_connect.driver import Client
from confluent_kafka import Consumer, TopicPartition


class Planted:
    """A random value in every spelling by which it could be known again."""

    def __init__(self) -> None:
        self.text = f"planted{token_hex(10)}"
        self.base64 = b64encode(self.text.encode()).decode()

    @property
    def spellings(self) -> list[bytes]:
        """Plain, hex, and base64 of any text it stands in: three shifts, without the ends that neighbours change."""
        shifted = [b64encode(b"\0" * shift + self.text.encode())[4:-4] for shift in range(3)]
        return [self.text.encode(), self.text.encode().hex().encode(), *shifted]

    def is_in(self, content: bytes) -> bool:
        """Whether any spelling stands in these bytes."""
        return any(spelling in content for spelling in self.spellings)


def files_with(planted: Planted, folder: Path) -> list[str]:
    """Files below a folder that hold the value: logs, Kafka's and the engine's own among them."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [str(path) for path in files if planted.is_in(path.read_bytes())]


def records_with(planted: Planted, bootstrap: str, prefix: str) -> tuple[list[str], set[str]]:
    """Records of an installation's topics that hold the value, and the topics in which a record was read."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "planted", "enable.auto.commit": False})
    found, read = [], set()
    try:
        topics = [topic for topic in consumer.list_topics(timeout=10).topics.values() if topic.topic.startswith(prefix)]
        for place in [TopicPartition(topic.topic, number, 0) for topic in topics for number in topic.partitions]:
            _, end = consumer.get_watermark_offsets(place, timeout=10)
            consumer.assign([place])
            offset = 0
            while offset < end:
                message = consumer.poll(10)
                assert message is not None, f"{place.topic} is silent"
                assert not message.error(), message.error()
                offset = message.offset() + 1
                read.add(place.topic)
                if planted.is_in(message.value() or b"") or planted.is_in(message.key() or b""):
                    found.append(f"{place.topic}/{place.partition}/{offset - 1}")
    finally:
        consumer.close()
    return found, read


def tables_with(planted: Planted, client: Client, database: str) -> tuple[list[str], set[str]]:
    """Tables of which a row holds the value in any column, and the tables in which a row was read."""
    spellings = ", ".join(f"'{spelling.decode()}'" for spelling in planted.spellings)
    names = "SELECT name FROM system.tables WHERE database = {database:String}"
    found, read = [], set()
    for (name,) in client.query(names, parameters={"database": database}).result_rows:
        query = (
            f"SELECT count(), countIf(multiSearchAny(formatRow('RowBinary', *), [{spellings}])) FROM {database}.{name}"
        )
        rows, holding = client.query(query).result_rows[0]
        if rows:
            read.add(name)
        if holding:
            found.append(name)
    return found, read


def said(done: CompletedProcess[str]) -> str:
    """All that a command printed."""
    return done.stdout + done.stderr


def secret(name: str, **fields: object) -> str:
    """A Secret as JSON, which is YAML too."""
    metadata = {"name": name, "namespace": "default"}
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata} | fields)
