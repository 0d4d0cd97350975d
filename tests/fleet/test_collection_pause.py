"""The pause of the garbage collector: as long as the computation, never longer."""

import gc

import pytest

from fleet.collection_pause import collection_paused


def test_collection_goes_on_afterwards_also_after_a_failure() -> None:
    """A worker that never collected again would grow without a bound."""
    with pytest.raises(ZeroDivisionError), collection_paused():
        _ = 1 // gc.isenabled()
    assert gc.isenabled()


def test_a_pause_within_a_pause_ends_with_the_outer_one() -> None:
    """Whoever paused first decides when it ends."""
    with collection_paused():
        with collection_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
