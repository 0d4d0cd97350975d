"""Which life of each topic positions belong to: the table `epochs`, written by set-up alone.

A row holds the ids of all topics at one time. A topic's *life* began with the first row that has its id, and that
row's epoch stands in the positions of its records. So a topic deleted and made anew gets a higher epoch, while the
positions of the topics that stayed do not change.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from fleet.errors import ConflictError, NotFoundError
from fleet.position import MAX_EPOCH


class Epoch(NamedTuple):
    """One row: what the topics' ids were from this epoch on. `topic_ids` is keyed by the topic's name."""

    number: int
    topic_ids: dict[str, str]


class TopicLife(NamedTuple):
    """The id a topic has, and the epoch of its records' positions."""

    epoch: int
    topic_id: str


def read_epochs(client: Client, database: str) -> list[Epoch]:
    """All epochs, oldest first; none before the first set-up."""
    query = "SELECT epoch, topic_ids FROM {database:Identifier}.epochs FINAL ORDER BY epoch"
    rows = client.query(query, parameters={"database": database}).result_rows
    return [Epoch(int(number), dict(topic_ids)) for number, topic_ids in rows]


def add_epoch(client: Client, database: str, epoch: Epoch, created_at: datetime) -> None:
    """Store a new epoch. Only one set-up may run at a time."""
    client.insert(
        "epochs",
        [[epoch.number, epoch.topic_ids, created_at]],
        column_names=["epoch", "topic_ids", "created_at"],
        database=database,
    )


def topic_lives(epochs: Sequence[Epoch]) -> dict[str, TopicLife]:
    """The life of every topic of the newest epoch, by name. Raises NotFoundError before the first set-up."""
    if not epochs:
        raise NotFoundError("this database has not been set up: run `muster setup`")
    return {name: TopicLife(_first_epoch(epochs, name, id_), id_) for name, id_ in epochs[-1].topic_ids.items()}


def next_epoch(epochs: Sequence[Epoch], topic_ids: Mapping[str, str]) -> Epoch | None:
    """The epoch that these topics need, or None if the newest one fits.

    Raises ConflictError when a topic belongs to an earlier epoch: its old offsets would stand behind newer ones.
    """
    if not epochs:
        return Epoch(1, dict(topic_ids))
    newest = epochs[-1]
    if newest.topic_ids == dict(topic_ids):
        return None
    for name, id_ in topic_ids.items():
        if newest.topic_ids.get(name) != id_ and any(epoch.topic_ids.get(name) == id_ for epoch in epochs):
            raise ConflictError(
                f"the topic {name} belongs to an earlier epoch of this database, and its records cannot come after"
                " newer ones: set MUSTER_KAFKA_TOPIC_PREFIX to the newest prefix or to one never used"
            )
    if newest.number >= MAX_EPOCH:
        raise ConflictError(f"all {MAX_EPOCH} epochs are used up: use a new database (MUSTER_CLICKHOUSE_DATABASE)")
    return Epoch(newest.number + 1, dict(topic_ids))


def _first_epoch(epochs: Sequence[Epoch], name: str, topic_id: str) -> int:
    return next(epoch.number for epoch in epochs if epoch.topic_ids.get(name) == topic_id)
