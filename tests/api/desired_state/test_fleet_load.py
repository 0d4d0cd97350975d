"""What a process loads before it answers, from a real database."""

from collections.abc import Mapping

import pytest

from api.desired_state.fleet_load import FleetLoad
from fleet.errors import ConflictError
from settings import load
from settings.keys import read_password


async def _confirmed(_topic_ids: Mapping[str, str]) -> None:
    """The brokers have them."""


async def test_settings_that_do_not_fit_the_tables_load_nothing(fresh: dict[str, str]) -> None:
    """A process that took replicas for a single server, or the other way round, could answer with older state."""
    address = f"http://127.0.0.1:{fresh['MUSTER_CLICKHOUSE_PORT']}"
    settings = load({**fresh, "MUSTER_CLICKHOUSE": address, "MUSTER_CLICKHOUSE_REPLICATED": "true"})
    password = read_password(settings.clickhouse_password_file)
    with pytest.raises(ConflictError, match=r"REPLICATED=true, but the database .* not replicated"):
        await FleetLoad(settings.clickhouse, password, "default", [], _confirmed).load()
