"""Takes stored resources into a fresh state by columns, as a database gives them, at a third of the cost of rows."""

from collections.abc import Sequence
from itertools import compress

from fleet.decisions.commands import ResourceKey
from fleet.decisions.state import COLLECTED_KINDS, FleetState


def load_columns(  # noqa: PLR0917 - columns of one table, in its order
    state: FleetState,
    kinds: Sequence[str],
    namespaces: Sequence[str],
    names: Sequence[str],
    bodies: Sequence[bytes],
    revisions: Sequence[int],
) -> None:
    """Take a portion of rows, JSON bodies as stored; each resource comes once. All are there after `state.settle()`.

    Nothing is awaited meanwhile, so a portion's size bounds how long the garbage collector may be paused.
    """
    places = list(zip(kinds, namespaces, strict=True))
    for place in dict.fromkeys(places):
        kind, namespace = place
        chosen = [each == place for each in places]
        of_place = list(compress(names, chosen)), list(compress(bodies, chosen)), list(compress(revisions, chosen))
        if kind in COLLECTED_KINDS:
            state.collect(kind, namespace, *of_place)
        else:
            for name, body, revision in zip(*of_place, strict=True):
                state.load(ResourceKey(kind, namespace, name), body, revision)
