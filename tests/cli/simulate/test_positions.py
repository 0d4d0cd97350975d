"""The acknowledged positions."""

from cli.simulate.positions import Acknowledged, AcknowledgedPositions
from fleet.position import Position


def test_positions_come_back_in_their_order_with_their_devices() -> None:
    """Whatever the order of the acknowledgements was."""
    positions = AcknowledgedPositions()
    for device, (offset, batch_index) in enumerate([(5, 1), (4, 0), (5, 0)]):
        positions.add(str(Position(1, 2, offset, batch_index)), device)
    positions.add("1-0-9-0", 7)
    assert positions.partitions() == [(1, 0), (1, 2)]
    assert list(positions.chunks(1, 2, 10)) == [[Acknowledged(4, 0, 1), Acknowledged(5, 0, 2), Acknowledged(5, 1, 0)]]


def test_chunk_never_splits_an_offset() -> None:
    """So that what is read for one chunk's range belongs to that chunk alone."""
    positions = AcknowledgedPositions()
    for offset in range(4):
        for batch_index in range(3):
            positions.add(f"1-0-{offset}-{batch_index}", 0)
    sizes = [len(chunk) for chunk in positions.chunks(1, 0, 4)]
    assert sizes == [6, 6]


def test_acknowledgement_without_a_readable_position_is_counted() -> None:
    """It cannot be looked for, so it must not pass as found."""
    positions = AcknowledgedPositions()
    for header in (None, "", "1-2-3", "a-b-c-d", "9999-0-0-0"):
        positions.add(header, 0)
    assert (positions.without_position, positions.kept) == (5, 0)


def test_memory_is_bounded() -> None:
    """Beyond the limit acknowledgements are counted but not kept."""
    positions = AcknowledgedPositions(limit=2)
    for offset in range(5):
        positions.add(f"1-0-{offset}-0", 0)
    assert (positions.kept, positions.beyond_limit) == (2, 3)
