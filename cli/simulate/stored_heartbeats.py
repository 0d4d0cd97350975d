"""The table `heartbeats` as the ledger reads it: one fleet's rows by position."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli.simulate.ledger import StoredHeartbeat
from fleet.errors import UnavailableError
from settings import ClickHouseSettings
from storage.client import connect

CLOCK_SKEW_MS = 3_600_000
"""How far the broker's clock, which stamps `received_at`, may differ from ClickHouse's; bounds what queries read."""

_FLEET = """
    namespace = {namespace:String} AND startsWith(device_id, {prefix:String})
    AND received_at >= fromUnixTimestamp64Milli({since_ms:Int64})
"""
_PLACE = """
    ({epoch:UInt16} = 0 OR epoch = {epoch:UInt16}) AND partition = {partition:UInt16}
    AND offset BETWEEN {first:UInt64} AND {last:UInt64}
"""
_ROWS = "SELECT offset, batch_index, device_id, count() FROM heartbeats"
_STORED = f"{_ROWS} WHERE {_FLEET} AND {_PLACE} GROUP BY offset, batch_index, device_id"
_COUNT = f"SELECT count() FROM heartbeats WHERE {_FLEET}"  # noqa: S608 - made of constants


class StoredHeartbeats:
    """Reads with a `clickhouse_connect` client. Blocks; for one thread at a time."""

    def __init__(self, client: Client, address: str, namespace: str, prefix: str, since_ms: int) -> None:
        self._client = client
        self._address = address
        self._parameters = {"namespace": namespace, "prefix": f"{prefix}-"}
        self._since_ms = since_ms

    @classmethod
    def open(cls, settings: ClickHouseSettings, password: str, namespace: str, prefix: str) -> Self:
        """Connect; rows from now on, by ClickHouse's clock, are the fleet's. Raises UnavailableError."""
        with _unavailable(settings.address):
            client = connect(settings, password, may_lag=True)
            since_ms = int(client.query("SELECT toUnixTimestamp64Milli(now64(3))").result_rows[0][0])
        return cls(client, settings.address, namespace, prefix, since_ms)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def stored(self, epoch: int, partition: int, first_offset: int, last_offset: int) -> Iterable[StoredHeartbeat]:
        """The fleet's rows in a range of offsets, both ends included. Raises UnavailableError.

        Epoch 0 (EPOCH_NOT_KNOWN) stands for every epoch: the offset and the device tell the heartbeat apart in a run.
        """
        place = {"epoch": epoch, "partition": partition, "first": first_offset, "last": last_offset}
        rows = self._query(_STORED, self._since_ms - CLOCK_SKEW_MS, **place)
        return [StoredHeartbeat(*row) for row in rows]

    def count(self) -> int:
        """All rows of the fleet since the run began. Raises UnavailableError."""
        return int(self._query(_COUNT, self._since_ms)[0][0])

    def _query(self, query: str, since_ms: int, **place: int) -> list[tuple[Any, ...]]:
        parameters = {**self._parameters, "since_ms": since_ms, **place}
        with _unavailable(self._address):
            return list(self._client.query(query, parameters=parameters).result_rows)


@contextmanager
def _unavailable(address: str) -> Iterator[None]:
    """What ClickHouse's client raises, as our own error."""
    try:
        yield
    except (ClickHouseError, OSError) as error:
        text = str(error)
        reason = "connection refused" if "Connection refused" in text else text.partition("\n")[0][:300]
        raise UnavailableError(f"ClickHouse at {address} does not answer ({reason}): `muster up` starts it") from error
