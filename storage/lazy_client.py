"""A connection for those who only read, made when it is first needed: a process starts without its ClickHouse."""

from clickhouse_connect.driver import Client

from settings import ClickHouseSettings
from storage.client import connect


class LazyClient:
    """Threads may share it, and it mends itself. What it reads may lag behind what another replica just took."""

    def __init__(self, settings: ClickHouseSettings, password: str) -> None:
        self._settings = settings
        self._password = password
        self._client: Client | None = None

    def __call__(self) -> Client:
        """The client. Blocks at first. Raises clickhouse_connect's errors as long as there is no connection."""
        if self._client is None:
            self._client = connect(self._settings, self._password, may_lag=True)
        return self._client
