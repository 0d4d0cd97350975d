"""Ends this process when its topics are others than it loaded: positions and revisions it gives would be wrong.

Deleting a topic and making it anew starts its offsets again. The workers stop for the same reason
(`streams.epoch_watch`); a supervisor starts the process again, with the new epoch once set-up has noted it.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import structlog
from confluent_kafka.admin import AdminClient

from fleet.errors import ConflictError, UnavailableError
from streams.background_task import BackgroundTask
from streams.epoch_watch import confirm_topics, watch_topics

_EVERY_S: Final = 2.0
"""More often than the workers look, since each answer until then names a wrong position. It is one small request."""

_log = structlog.get_logger(__name__)


class TopicWatch:
    """Watches the topics that were confirmed. `end` begins to stop the process; it is called once."""

    def __init__(self, admin: AdminClient, end: Callable[[], None], every_s: float = _EVERY_S) -> None:
        self._admin = admin
        self._end = end
        self._every_s = every_s
        self._topic_ids: Mapping[str, str] = {}
        self._watching = BackgroundTask("topic-watch")
        self._is_over = False

    async def confirm(self, topic_ids: Mapping[str, str]) -> None:
        """Return when the brokers have these topics, by name and id, and this process had no others before.

        Raises UnavailableError when no broker answers, and when this process ends because they are others.
        """
        with self._ending():
            if self._topic_ids and self._topic_ids != topic_ids:
                raise ConflictError("the topics are of another epoch than this process began with")
            await confirm_topics(self._admin, topic_ids)
        self._topic_ids = topic_ids
        self.refuse_if_over()
        if not self._watching.is_started:
            self._watching.start(self._watch(topic_ids))

    def refuse_if_over(self) -> None:
        """Raise UnavailableError once the topics are others."""
        if self._is_over:
            raise UnavailableError("the topics were made anew and this process ends: try again")

    async def stop(self) -> None:
        """End the watch."""
        await self._watching.stop()

    async def _watch(self, topic_ids: Mapping[str, str]) -> None:
        with contextlib.suppress(UnavailableError), self._ending():
            await watch_topics(self._admin, topic_ids, self._every_s)

    @contextlib.contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            yield
        except ConflictError as error:
            if not self._is_over:
                self._is_over = True
                _log.error("process ends", reason=str(error))
                self._end()
            self.refuse_if_over()
