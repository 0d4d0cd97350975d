"""What is stored about a device of these tests, as an analyst reads it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from clickhouse_connect.driver import Client

from settings import load
from settings.keys import read_password
from storage.client import connect


class Beat(NamedTuple):
    """A row of `heartbeats`; `position` is written as the header has it."""

    position: str
    version: str
    is_repeat: bool


class Stored:
    """Reads the documented views."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def beats(self, device_id: str) -> list[Beat]:
        """All heartbeats of a device, in their order."""
        query = """
            SELECT concat(toString(epoch), '-', toString(partition), '-', toString(offset), '-', toString(batch_index)),
                   version, is_repeat
            FROM heartbeats WHERE device_id = {device_id:String} ORDER BY epoch, offset, batch_index"""
        return [Beat(*row) for row in self._rows(query, device_id)]

    def enrolment(self, device_id: str) -> list[tuple[str, str, str]]:
        """Namespace, state and key; a device without one was never heard of."""
        query = "SELECT namespace, state, key_fingerprint FROM enrolments WHERE device_id = {device_id:String}"
        return [(row[0], row[1], row[2]) for row in self._rows(query, device_id)]

    def is_key_proven(self, device_id: str) -> bool:
        """Whether the device has used its certificate."""
        query = "SELECT is_key_proven FROM enrolments WHERE device_id = {device_id:String}"
        return bool(self._rows(query, device_id)[0][0])

    def revisions(self, device_id: str) -> Counter[str]:
        """How many changes each kind of resource of that name had."""
        query = "SELECT kind FROM configuration_revisions WHERE name = {device_id:String}"
        return Counter(row[0] for row in self._rows(query, device_id))

    def events(self, device_id: str) -> list[str]:
        """Reasons of the events that Muster raised about a device."""
        query = "SELECT reason FROM device_events WHERE device_id = {device_id:String} AND source = 'muster'"
        return [row[0] for row in self._rows(query + " ORDER BY received_at", device_id)]

    def workloads(self, device_id: str) -> list[tuple[str, str]]:
        """What a device last said to run."""
        query = "SELECT workload, status FROM workload_status WHERE device_id = {device_id:String} ORDER BY workload"
        return [(row[0], row[1]) for row in self._rows(query, device_id)]

    def hardware(self, device_id: str) -> list[str]:
        """The host name in the description of a device."""
        query = "SELECT JSONExtractString(description, 'hostname') FROM hardware WHERE device_id = {device_id:String}"
        return [row[0] for row in self._rows(query, device_id)]

    def _rows(self, query: str, device_id: str) -> list[tuple[str, ...]]:
        return [tuple(row) for row in self._client.query(query, parameters={"device_id": device_id}).result_rows]


@contextmanager
def stored_by(variables: dict[str, str]) -> Iterator[Stored]:
    """A connection to the tables of an installation."""
    settings = load(variables)
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
    try:
        yield Stored(client)
    finally:
        client.close()
