"""Connections to ClickHouse, for Muster's own way in and out.

A client may be shared by threads: it keeps no session. Its own retries after a broken connection may send an insert
twice, which every table tolerates, since a row is identified by its position (see `storage/migrations`); so no
insert carries a deduplication token, which after a replay could stand for other rows.
"""

from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver import AsyncClient, Client

from settings import ClickHouseSettings
from settings.named_files import NamedFile
from settings.pem_files import verifying
from storage.consistency import ask_for_consistency

CONNECT_TIMEOUT_S = 5
"""A server that does not even accept a connection for this long is down."""

WRITE_TIMEOUT_S = 120
"""Above the longest insert; a writer that waits longer would rather try again."""


def connect(
    settings: ClickHouseSettings, password: str, database: str | None = None, *, may_lag: bool = False
) -> Client:
    """A client for use in threads; connecting blocks and asks the server for its version.

    `database` replaces the settings' one, for set-up before it exists. With several replicas its inserts wait for a
    majority and its reads see all that was acknowledged; one that only reads `may_lag`. Raises clickhouse_connect's
    OperationalError or DatabaseError when the server cannot be reached or refuses, SettingsError for an unusable CA.
    """
    require_usable(settings)
    client = clickhouse_connect.get_client(**_arguments(settings, password, database))
    ask_for_consistency(client, settings, may_lag=may_lag)
    return client


async def connect_async(settings: ClickHouseSettings, password: str, database: str | None = None) -> AsyncClient:
    """A client whose reads may lag, in an event loop; otherwise as `connect`. Close it with `await client.close()`."""
    return await clickhouse_connect.get_async_client(**_arguments(settings, password, database))


def require_usable(settings: ClickHouseSettings) -> None:
    """Raise SettingsError for a CA that cannot be used."""
    if settings.ca:
        verifying(NamedFile("MUSTER_CLICKHOUSE_CA", settings.ca))


def _arguments(settings: ClickHouseSettings, password: str, database: str | None) -> dict[str, Any]:
    address = urlsplit(settings.address)
    is_near = address.hostname in {"127.0.0.1", "::1", "localhost"}
    return {
        "interface": address.scheme,
        "host": address.hostname,
        "port": address.port or (8443 if address.scheme == "https" else 8123),
        "username": settings.user,
        "password": password,
        "database": database or settings.database,
        "ca_cert": str(settings.ca) if settings.ca else None,
        "autogenerate_session_id": False,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "send_receive_timeout": WRITE_TIMEOUT_S,
        # On the same machine compressing costs more than it saves.
        "compress": False if is_near else "lz4",
    }
