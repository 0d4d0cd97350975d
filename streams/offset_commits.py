"""Commits exactly what was written, instead of what Faust counts as acknowledged.

Faust acknowledges the messages it skips in a rebalance, so it can commit past records that nobody has seen, and it can
commit past an unacknowledged one (its issue 606). So the agents' topics are declared with `acks=False`, which leaves
Faust nothing to commit and nothing to wait for in a rebalance, and each agent says here how far it got.
"""

from collections.abc import Mapping

import faust
from faust.types import TP


class OffsetCommits:
    """Commits offsets of one topic for the worker's group."""

    def __init__(self, app: faust.App, topic: str) -> None:
        self._app = app
        self._topic = topic

    async def commit(self, next_offsets: Mapping[int, int]) -> None:
        """Say where to go on, by partition. Partitions lost meanwhile are left to their new owner.

        A commit that fails for another reason crashes the worker, by Faust's own doing; what it wrote is written, and
        is recognised when it is read again.
        """
        held = self._app.consumer.assignment()
        offsets = {
            place: offset for partition, offset in next_offsets.items() if (place := TP(self._topic, partition)) in held
        }
        # Faust drops what is not held itself, but hands on what is left, and the client takes nothing for an error.
        if offsets:
            # Faust has no public way to commit offsets of one's own; this is the step its own commits end in.
            await self._app.consumer._commit(offsets)  # noqa: SLF001
