"""Loads what an API process needs from ClickHouse, in a thread: the topics' epochs and the desired state."""

import asyncio

from fleet.decisions.state import FleetState
from settings import ClickHouseSettings
from storage.client import connect
from storage.decisions import load_state
from storage.epochs import read_epochs, topic_lives


class FleetLoad:
    """Loads when asked, with a connection of its own. `heartbeat_epoch` is None until the first load."""

    def __init__(
        self, settings: ClickHouseSettings, password: str, heartbeats_topic: str, initial_namespace: str
    ) -> None:
        self._settings = settings
        self._password = password
        self._heartbeats_topic = heartbeats_topic
        self._initial_namespace = initial_namespace
        self.heartbeat_epoch: int | None = None

    async def load(self) -> FleetState:
        """The state as of the last stored decision. Raises clickhouse_connect's errors or NotFoundError."""
        return await asyncio.to_thread(self._load)

    def _load(self) -> FleetState:
        client = connect(self._settings, self._password)
        try:
            lives = topic_lives(read_epochs(client, self._settings.database))
            state = load_state(client, self._initial_namespace)
            self.heartbeat_epoch = lives[self._heartbeats_topic].epoch
            return state
        finally:
            client.close()
