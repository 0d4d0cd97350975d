"""Positions order the logs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.position import MAX_EPOCH, MAX_INDEX, MAX_OFFSET, Position, pack_sequence, unpack_sequence

PLACES = st.tuples(st.integers(0, MAX_EPOCH), st.integers(0, MAX_OFFSET), st.integers(0, MAX_INDEX))


@given(PLACES, PLACES)
def test_sequences_order_as_epoch_offset_and_index_do(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    """Comparing the integers is comparing the places."""
    assert (pack_sequence(*one) < pack_sequence(*other)) == (one < other)


@given(PLACES)
def test_a_sequence_unpacks_to_its_place(place: tuple[int, int, int]) -> None:
    """Nothing is lost by packing, and 63 bits are enough."""
    sequence = pack_sequence(*place)
    assert unpack_sequence(sequence) == place
    assert 0 <= sequence < 1 << 63


@pytest.mark.parametrize("place", [(MAX_EPOCH + 1, 0, 0), (0, MAX_OFFSET + 1, 0), (0, 0, MAX_INDEX + 1), (0, -1, 0)])
def test_a_place_that_does_not_fit_is_refused(place: tuple[int, int, int]) -> None:
    """Overflow raises instead of giving another heartbeat's place."""
    with pytest.raises(OverflowError):
        pack_sequence(*place)


def test_a_position_reads_back_from_its_header() -> None:
    """`Muster-Position` is what a client's ledger stores."""
    position = Position(epoch=3, partition=11, offset=123_456, batch_index=7)
    assert str(position) == "3-11-123456-7"
    assert Position.parse(str(position)) == position


@pytest.mark.parametrize("text", ["", "1-2-3", "1-2-3-4-5", "a-b-c-d"])
def test_another_text_is_no_position(text: str) -> None:
    """A header that is not ours raises ValueError."""
    with pytest.raises(ValueError, match=r"invalid literal|not enough|too many"):
        Position.parse(text)
