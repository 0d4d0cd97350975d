"""A real engine for the tables' tests, and a database of its own for each."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from local.clickhouse.process import ClickHouseEndpoint
from local.free_ports import free_port
from settings import ClickHouseSettings
from settings.keys import make_keys, read_password


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address and password file of the owner."""
    data = tmp_path_factory.mktemp("clickhouse")
    make_keys(data / "keys")
    with ClickHouseEndpoint(data, data / "keys", free_port()) as endpoint:
        yield endpoint.address, data / "keys" / "muster"


@pytest.fixture
def clickhouse_settings(engine: tuple[str, Path]) -> ClickHouseSettings:
    """Of a database that does not exist yet."""
    address, password_file = engine
    return ClickHouseSettings(url=address, password_file=password_file, database=f"t{uuid4().hex[:12]}")


@pytest.fixture
def password(engine: tuple[str, Path]) -> str:
    """The owner's."""
    return read_password(engine[1])
