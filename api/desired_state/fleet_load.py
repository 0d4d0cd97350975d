"""Loads what an API process needs from ClickHouse, in a thread: the topics' epochs and the desired state."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from fleet.decisions.state import FleetState
from fleet.errors import NotFoundError
from settings import ClickHouseSettings
from storage.client import connect
from storage.decisions import load_state
from storage.epochs import TopicLife, read_epochs, topic_lives
from storage.replicas import require_fit

Confirm = Callable[[Mapping[str, str]], Awaitable[None]]
"""Returns when the brokers have the topics, by name and id: `api.topic_watch.TopicWatch.confirm`."""


class FleetLoad:
    """Loads when asked, with a connection of its own. `epochs` are by topic name, empty until the first load."""

    def __init__(
        self,
        settings: ClickHouseSettings,
        password: str,
        initial_namespace: str,
        topics: Sequence[str],
        confirm: Confirm,
    ) -> None:
        self._settings = settings
        self._password = password
        self._initial_namespace = initial_namespace
        self._topics = topics
        self._confirm = confirm
        self.epochs: Mapping[str, int] = {}

    async def load(self) -> FleetState:
        """The state as of the last stored decision.

        Raises clickhouse_connect's errors, NotFoundError, ConflictError when the tables do not fit the settings, and
        UnavailableError when the topics are not confirmed.
        """
        lives, state = await asyncio.to_thread(self._load)
        await self._confirm({name: life.topic_id for name, life in lives.items()})
        self.epochs = {name: life.epoch for name, life in lives.items()}
        return state

    def _load(self) -> tuple[dict[str, TopicLife], FleetState]:
        client = connect(self._settings, self._password)
        try:
            require_fit(client, self._settings)
            known = topic_lives(read_epochs(client, self._settings.database))
            unknown = [name for name in self._topics if name not in known]
            if unknown:
                raise NotFoundError(
                    f"the database {self._settings.database} does not know the topic {unknown[0]}: run `muster setup`"
                )
            return {name: known[name] for name in self._topics}, load_state(client, self._initial_namespace)
        finally:
            client.close()
