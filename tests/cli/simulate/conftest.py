"""A real engine with Muster's tables, for the ledger."""

from collections.abc import Iterator

import pytest

from local.clickhouse.process import ClickHouseEndpoint
from local.free_ports import free_port
from settings import ClickHouseSettings, RetentionSettings
from settings.keys import make_keys, read_password
from storage.schema import set_up_schema


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ClickHouseSettings, str]]:
    """Settings and password of the owner of an engine whose tables are made."""
    data = tmp_path_factory.mktemp("ledger")
    make_keys(data / "keys")
    password = read_password(data / "keys" / "muster")
    with ClickHouseEndpoint(data / "clickhouse", data / "keys", free_port()) as endpoint:
        settings = ClickHouseSettings(url=endpoint.address)
        set_up_schema(settings, password, RetentionSettings())
        yield settings, password
