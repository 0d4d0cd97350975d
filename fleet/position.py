"""Where a heartbeat or a change stands: positions in the logs, packed into one ordered integer.

An *epoch* counts the lives of the topics: set-up raises it when it meets topics with other ids. Within an epoch the
broker's offset orders the records of a partition, and the index orders what one record carries. (epoch, offset, index)
packs into 63 bits, so that it fits ClickHouse's UInt64 and Kubernetes' decimal `resourceVersion` alike and compares as
an integer.
"""

from typing import NamedTuple, Self

EPOCH_BITS = 10
OFFSET_BITS = 38
INDEX_BITS = 15

MAX_EPOCH = (1 << EPOCH_BITS) - 1
MAX_OFFSET = (1 << OFFSET_BITS) - 1
MAX_INDEX = (1 << INDEX_BITS) - 1
"""The most entries a record may carry is one more than this."""

EPOCH_NOT_KNOWN = 0
"""In a `Muster-Position` from a process that has not read the epoch yet; the stored row has the true one, from 1."""


def pack_sequence(epoch: int, offset: int, index: int) -> int:
    """One integer that orders (epoch, offset, index). Raises OverflowError when a part does not fit its bits."""
    if not (0 <= epoch <= MAX_EPOCH and 0 <= offset <= MAX_OFFSET and 0 <= index <= MAX_INDEX):
        raise OverflowError(f"epoch {epoch}, offset {offset}, index {index} do not fit 10, 38 and 15 bits")
    return (epoch << (OFFSET_BITS + INDEX_BITS)) | (offset << INDEX_BITS) | index


def unpack_sequence(sequence: int) -> tuple[int, int, int]:
    """(epoch, offset, index) of a packed sequence."""
    return sequence >> (OFFSET_BITS + INDEX_BITS), (sequence >> INDEX_BITS) & MAX_OFFSET, sequence & MAX_INDEX


class Position(NamedTuple):
    """The place of one entry in a topic. Unique in an installation; ordered within a partition."""

    epoch: int
    partition: int
    offset: int
    batch_index: int

    @property
    def sequence(self) -> int:
        """The order among the entries of this partition."""
        return pack_sequence(self.epoch, self.offset, self.batch_index)

    def __str__(self) -> str:
        """As the `Muster-Position` header spells it: `epoch-partition-offset-batch_index`."""
        return f"{self.epoch}-{self.partition}-{self.offset}-{self.batch_index}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote. Raises ValueError on anything else."""
        epoch, partition, offset, batch_index = (int(part) for part in text.split("-"))
        return cls(epoch, partition, offset, batch_index)
