"""Followers read every change once, from where they are, or hear that they have missed some."""

import asyncio

from api.desired_state.recent_changes import RecentChanges
from fleet.decisions.commands import Change, Outcome, ResourceKey
from fleet.decisions.state import FleetState


class Changed:
    """A state and the changes it is changed through."""

    def __init__(self, limit: int) -> None:
        self.state = FleetState("default")
        self.recent = RecentChanges(limit)

    def put(self, revision: int, *names: str) -> bool:
        """Accept config maps of these names at a revision."""
        changes = [
            Change(
                ResourceKey("ConfigMap", "default", name), {"metadata": {"name": name}, "data": {"r": str(revision)}}
            )
            for name in names
        ]
        outcome = Outcome(revision, f"request-{revision}", "ann", 0, "accepted", "", changes, [])
        return self.recent.applied(self.state, outcome)


def revisions(changed: Changed, after: int, limit: int = 100) -> list[int] | None:
    """Of the changes after a revision; None when some are not held."""
    place = changed.recent.place_after(after)
    changes = None if place is None else changed.recent.read(place, limit)
    return None if changes is None else [change.revision for change in changes]


def test_changes_after_a_revision_are_read() -> None:
    """In order, each with what the resource was before."""
    changed = Changed(10)
    for revision in (1, 2, 3):
        assert changed.put(revision, "a")
    assert revisions(changed, 1) == [2, 3]
    assert revisions(changed, 0) == [1, 2, 3]
    assert revisions(changed, 9) == []
    assert revisions(changed, 0, limit=2) == [1, 2]
    place = changed.recent.place_after(1)
    assert place is not None
    (second, _) = changed.recent.read(place, 10) or []
    assert second.before is not None
    assert (second.before.revision, second.after and second.after.revision) == (1, 2)


def test_an_outcome_delivered_again_is_no_change() -> None:
    """As the feed may do at any time."""
    changed = Changed(10)
    assert changed.put(1, "a")
    assert not changed.put(1, "a")
    assert revisions(changed, 0) == [1]


def test_whoever_missed_changes_hears_so() -> None:
    """What is held is bounded; part of a revision is not enough."""
    changed = Changed(3)
    early = changed.recent.end
    changed.put(1, "a", "b")
    changed.put(2, "a", "b")
    assert revisions(changed, 0) is None
    assert revisions(changed, 1) == [2, 2]
    assert changed.recent.read(early, 10) is None


def test_a_load_begins_anew() -> None:
    """What led to the state loaded is not known."""
    changed = Changed(10)
    changed.put(1, "a")
    place = changed.recent.end
    changed.recent.restart(5)
    assert revisions(changed, 4) is None
    assert revisions(changed, 5) == []
    assert changed.recent.read(place, 10) is None


async def test_a_change_wakes_who_waits() -> None:
    """And time does, when there is none."""
    changed = Changed(10)
    place = changed.recent.end
    await changed.recent.wait(place, 0.01)
    waiting = asyncio.create_task(changed.recent.wait(place, 60))
    await asyncio.sleep(0)
    changed.put(1, "a")
    await asyncio.wait_for(waiting, 5)
    await changed.recent.wait(place, 60)
