"""What the load generator sends is what devices send."""

from benchmarks.load.heartbeat_bodies import EVENTS_AT, NEWS_AT, VARIANTS, mean_size_bytes, shapes
from benchmarks.load.lua_tables import lua
from benchmarks.load.request_heads import MARK, request_pieces
from fleet.heartbeats.heartbeat import read_heartbeat

_NUMBER = b"0000042"


def test_every_body_is_a_heartbeat_of_usual_size() -> None:
    """Plain ones have 0.1 to 2 kB, those with all hardware 8 to 18, and each can be read."""
    for shape in shapes(1):
        for body in (*shape.plain, *shape.with_events):
            assert 100 < len(body) < 4000
            read_heartbeat(body.replace(MARK, _NUMBER))
        for body in shape.with_hardware:
            assert 8000 < len(body) < 18_000
            hardware = read_heartbeat(body.replace(MARK, _NUMBER)).hardware
            assert hardware is not None
            assert hardware.hostname == "host-0000042.example.com"
    assert 300 < mean_size_bytes(1) < 2000


def test_one_heartbeat_in_twenty_brings_news() -> None:
    """Five of a hundred, two of these with events; a device's next state differs from its last."""
    assert len(NEWS_AT) == 5
    assert set(EVENTS_AT) < set(NEWS_AT)
    differing = [shape for shape in shapes(1) if len(set(shape.plain)) == VARIANTS]
    assert len(differing) > 48  # devices without workloads differ in their status alone


def test_a_seed_decides_all_bodies() -> None:
    """The same seed gives the same bodies, another one others."""
    assert list(shapes(1)) == list(shapes(1))
    assert list(shapes(1)) != list(shapes(2))


def test_a_request_is_cut_where_the_number_goes() -> None:
    """Joined around a number of seven digits it is one request, whose length is the body's."""
    before, between, after = request_pieces("PUT", "heartbeat", b'{"a":"' + MARK + b'"}\n')
    request = before + _NUMBER + between + _NUMBER + after
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /api/flotta-backend/v1/namespaces/shops/devices/edge-0000042/heartbeat HTTP/1.1\r\n")
    assert f"Content-Length: {len(body)}".encode() in head


def test_bytes_are_spelt_as_lua_reads_them() -> None:
    """Quotes, backslashes and what is not printed are escaped; names and sequences become tables."""
    assert lua({"a": [b'x"\\\r\n', True, 1.5]}) == '{a={"x\\034\\092\\013\\010",true,1.5}}'
