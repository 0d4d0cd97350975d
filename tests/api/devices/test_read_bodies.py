"""That a body is read once, and that nothing unread is taken for read."""

import pytest
from xxhash import xxh3_64_intdigest

from api.devices import read_bodies
from api.devices.read_bodies import ReadBodies
from fleet.errors import BadInputError
from fleet.heartbeats.heartbeat import Heartbeat, content_hash, read_heartbeat

UP = b'{"status":"up"}'
MALFORMED = b'{"status":["up"]}'


@pytest.fixture
def was_read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that were read, in order."""
    bodies: list[bytes] = []

    def read(body: bytes) -> Heartbeat:
        bodies.append(body)
        return read_heartbeat(body)

    monkeypatch.setattr(read_bodies, "read_heartbeat", read)
    return bodies


def test_a_body_that_was_read_is_not_read_again(was_read: list[bytes]) -> None:
    """Whoever sends it; its hash is the same both times."""
    bodies = ReadBodies()
    assert [bodies.content_hash(UP) for _ in range(3)] == [xxh3_64_intdigest(UP)] * 3
    assert was_read == [UP]


def test_what_cannot_be_read_is_refused_each_time() -> None:
    """It is not remembered."""
    bodies = ReadBodies()
    for _ in range(2):
        with pytest.raises(BadInputError, match="status"):
            bodies.content_hash(MALFORMED)


def test_two_bodies_at_one_place_displace_each_other(was_read: list[bytes]) -> None:
    """And none is mistaken for another."""
    bodies = ReadBodies(2)
    said = (b'{"status":"%d"}' % number for number in range(100))
    first, second, *_ = (body for body in said if xxh3_64_intdigest(body) % 2)
    for body in (first, second, second, first):
        assert bodies.content_hash(body) == xxh3_64_intdigest(body)
    assert was_read == [first, second, first]


def test_a_time_is_left_out_of_the_hash() -> None:
    """So a body with one is read each time."""
    bodies = ReadBodies()
    first, second = b'{"status":"up","time":"1"}', b'{"status":"up","time":"2"}'
    for body in (first, second, first):
        assert bodies.content_hash(body) == content_hash(first, read_heartbeat(first)) != xxh3_64_intdigest(body)


def test_what_was_read_for_its_content_is_known(was_read: list[bytes]) -> None:
    """The first heartbeat of a device is looked into."""
    bodies = ReadBodies()
    heartbeat, content = bodies.read(UP)
    assert (heartbeat.status, content) == ("up", xxh3_64_intdigest(UP))
    assert bodies.content_hash(UP) == content
    assert was_read == [UP]


@pytest.mark.parametrize("places", [2, 8])
def test_an_empty_table_finds_nothing(places: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the hash, that of an empty place among them."""
    for whole in range(2 * places):
        monkeypatch.setattr(read_bodies, "xxh3_64_intdigest", lambda _body, whole=whole: whole)
        with pytest.raises(BadInputError):
            ReadBodies(places).content_hash(MALFORMED)
