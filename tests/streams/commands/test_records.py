"""What records of commands and of the feed hold reads back as it was written, and later layouts are not misread."""

import msgspec
import pytest

from fleet.decisions.commands import Change, DeleteResource, Outcome, PutResource, Request, ResourceKey
from streams.commands.feed_records import decode_outcomes, encode_outcomes
from streams.commands.records import decode_requests, encode_requests

WORKLOAD = ResourceKey("EdgeWorkload", "default", "web")
REQUESTS = [
    Request("r1", "ann", 1_000, PutResource(WORKLOAD, {"spec": {"type": "pod"}}, "create", "uid-1")),
    Request("r2", "bob", 2_000, DeleteResource(WORKLOAD)),
]
OUTCOMES = [Outcome(5, "r1", "ann", 1_000, "accepted", "", [Change(WORKLOAD, {"spec": {}})], [])]


def test_requests_read_back_in_their_order() -> None:
    """The order in a record is the order of revisions."""
    assert decode_requests(encode_requests(REQUESTS)) == REQUESTS


def test_outcomes_read_back_with_the_resources_they_changed() -> None:
    """A reader of the feed needs nothing else."""
    assert decode_outcomes(encode_outcomes(OUTCOMES)) == OUTCOMES


@pytest.mark.parametrize("decode", [decode_requests, decode_outcomes])
@pytest.mark.parametrize("value", [b"", b"not msgpack", msgspec.msgpack.encode([2, []]), msgspec.msgpack.encode({})])
def test_a_record_of_another_layout_is_refused(decode: object, value: bytes) -> None:
    """Neither garbage nor a later version is taken for something else."""
    with pytest.raises(msgspec.DecodeError):
        decode(value)  # type: ignore[operator]
