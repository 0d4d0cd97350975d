"""Epochs are raised only when a topic is another one, and never let old offsets come after new ones."""

import pytest

from fleet.errors import ConflictError, NotFoundError
from fleet.position import MAX_EPOCH
from storage.epochs import Epoch, TopicLife, next_epoch, topic_lives

BOTH = {"m.heartbeats": "h1", "m.commands": "c1"}


def test_the_first_epoch_is_one() -> None:
    """Nothing stored yet."""
    assert next_epoch([], BOTH) == Epoch(1, BOTH)


def test_the_same_topics_need_no_epoch() -> None:
    """A set-up run again changes nothing."""
    assert next_epoch([Epoch(1, BOTH)], dict(reversed(BOTH.items()))) is None


def test_a_topic_made_anew_raises_its_own_epoch_alone() -> None:
    """Heartbeats read again under a higher epoch would be stored twice."""
    changed = {**BOTH, "m.commands": "c2"}
    epoch = next_epoch([Epoch(1, BOTH)], changed)
    assert epoch == Epoch(2, changed)
    assert topic_lives([Epoch(1, BOTH), epoch]) == {
        "m.heartbeats": TopicLife(1, "h1"),
        "m.commands": TopicLife(2, "c2"),
    }


def test_topics_under_another_prefix_are_other_topics() -> None:
    """Their positions come after those of the old ones."""
    moved = {"n.heartbeats": "h2", "n.commands": "c2"}
    epochs = [Epoch(1, BOTH), Epoch(2, moved)]
    assert next_epoch(epochs[:1], moved) == epochs[1]
    assert {life.epoch for life in topic_lives(epochs).values()} == {2}


def test_going_back_to_topics_of_an_earlier_epoch_is_refused() -> None:
    """Their records would stand behind those of the epoch between."""
    epochs = [Epoch(1, BOTH), Epoch(2, {"n.heartbeats": "h2", "n.commands": "c2"})]
    with pytest.raises(ConflictError, match="MUSTER_KAFKA_TOPIC_PREFIX"):
        next_epoch(epochs, BOTH)


def test_the_last_epoch_is_not_passed() -> None:
    """A position has ten bits for it."""
    with pytest.raises(ConflictError, match="MUSTER_CLICKHOUSE_DATABASE"):
        next_epoch([Epoch(MAX_EPOCH, BOTH)], {**BOTH, "m.commands": "c2"})


def test_without_set_up_there_are_no_lives() -> None:
    """A worker started too early says what to run."""
    with pytest.raises(NotFoundError, match="muster setup"):
        topic_lives([])
