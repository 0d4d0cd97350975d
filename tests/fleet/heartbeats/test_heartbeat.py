"""Reading heartbeats: what gateways may send is accepted, what cannot be read is refused with its place."""

import json
from pathlib import Path

import pytest
from msgspec import structs

from fleet.errors import BadInputError
from fleet.heartbeats.heartbeat import EventReport, Heartbeat, WorkloadReport, content_hash, read_heartbeat

CURRENT_AGENT = (
    b'{"events":[],"hardware":{"disks":null,"gpus":null,"host_devices":null,"interfaces":null,"mounts":null},'
    b'"playbook-executions":null,"status":"up","upgrade":{"current_commit_ID":"unknown"},"version":"7",'
    b'"workloads":[{"last_data_upload":"0001-01-01T00:00:00.000Z","name":"web","status":"Running"}]}\n'
)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"events":null,"playbook-executions":null,"workloads":null}\n',
        b'{"events":[],"playbook-executions":[],"workloads":[]}',
        b'{"status":null,"version":null,"hardware":null,"upgrade":null}',
        b'{"time":"2021-11-21T14:48:29.763+02:00","scope":"delta","new":{"deep":[1,{"x":null}]}}',
    ],
)
def test_null_absent_empty_and_unknown_are_accepted(body: bytes) -> None:
    """Nothing is required of a heartbeat but to be an object."""
    beat = structs.replace(read_heartbeat(body), time=None)
    assert beat in (Heartbeat(), Heartbeat(events=[], playbook_executions=[], workloads=[]))


def test_null_elements_are_kept_as_none() -> None:
    """Lists may hold nulls."""
    beat = read_heartbeat(b'{"workloads":[{"name":"w"},null],"events":[null,{"reason":"Failed"}]}')
    assert beat.workloads == [WorkloadReport(name="w"), None]
    assert beat.events == [None, EventReport(reason="Failed")]


def test_current_agents_heartbeat_is_read() -> None:
    """The body captured from a current agent, with hardware that says nothing."""
    beat = read_heartbeat(CURRENT_AGENT)
    assert (beat.status, beat.version) == ("up", "7")
    assert beat.workloads == [WorkloadReport("web", "0001-01-01T00:00:00.000Z", "Running")]
    assert beat.upgrade is not None
    assert beat.upgrade.current_commit_id == "unknown"


@pytest.mark.parametrize("status", ["up", "degraded", "Running", "Exited", "Created", "", "ünknown"])
def test_any_status_spelling_is_accepted(status: str) -> None:
    """Agents and gateways spell statuses outside the enumeration."""
    body = json.dumps({"status": status, "workloads": [{"name": "w", "status": status}]}).encode()
    assert read_heartbeat(body).status == status


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "JSON"),
        (b"not json", "byte"),
        (b"{} {}", "byte 4"),
        (b"[]", "object"),
        (b'"up"', "object"),
        (b"null", "object"),
        (b'{"status":1}', "$.status"),
        (b'{"workloads":{}}', "$.workloads"),
        (b'{"workloads":[{"name":"a"},{"name":7}]}', "$.workloads[1].name"),
        (b'{"events":["x"]}', "$.events[0]"),
        (b'{"hardware":{"cpu":{"count":"4"}}}', "$.hardware.cpu.count"),
        (b'{"hardware":{"memory":{"usable_bytes":99999999999999999999}}}', "$.hardware.memory.usable_bytes"),
        (b'{"hardware":{"cpu":{"frequency":1e999}}}', "$.hardware.cpu.frequency"),
        (b'{"status":"\xff"}', "byte 11"),
        (b'{"unknown":"\xc3("}', "byte 12"),
        (b"[" * 100_000, "object"),
        (b'{"x":' + b"[" * 100_000, "nested"),
        (b'{"workloads":' + b"[" * 100_000, "$.workloads[0]"),
        (b'{"x":' * 100_000, "nested"),
        (b'{"status":"\\ud800"}', "JSON"),
        (b'{"x":NaN}', "JSON"),
    ],
)
def test_unreadable_bodies_are_refused_with_their_place(body: bytes, place: str) -> None:
    """Whatever is wrong becomes one BadInputError whose message says where."""
    with pytest.raises(BadInputError, match=place.replace("$", r"\$").replace("[", r"\[").replace("]", r"\]")):
        read_heartbeat(body)


def test_equal_content_has_equal_hash() -> None:
    """The same bytes hash alike, other bytes do not, and the hash fits 64 bits."""
    assert _hash(CURRENT_AGENT) == _hash(CURRENT_AGENT) < 2**64
    assert _hash(CURRENT_AGENT) != _hash(CURRENT_AGENT.replace(b"web", b"wob"))


def test_time_and_white_space_around_it_do_not_matter_to_the_hash() -> None:
    """A gateway that keeps `time` must not make every heartbeat a changed one."""
    first = b'{"status":"up","time":"2021-11-21T14:48:29.763+02:00","version":"1"}'
    later = b'{ "status": "up",\n "time": "2021-11-21T14:49:29.763+02:00", "version": "1"}\n'
    assert _hash(first) == _hash(later) == _hash(later.replace(b'"time"', b'"\\u0074ime"'))
    assert _hash(first) != _hash(first.replace(b'"version":"1"', b'"version":"2"'))


@pytest.mark.parametrize("body", [b'["time"]', b'{"time":', b'{"time":"\xff"}', b'{"time":1,"x":' + b"[" * 100_000])
def test_hash_of_what_is_no_object_is_refused(body: bytes) -> None:
    """Reading what is hashed raises nothing but BadInputError."""
    with pytest.raises(BadInputError):
        _hash(body)


def test_a_time_elsewhere_is_content() -> None:
    """Only the heartbeat's own `time` is left out: another one is part of what the device says."""
    first = b'{"status":"up","new":{"time":1}}'
    assert _hash(first) != _hash(first.replace(b":1", b":2"))


def test_deep_but_closed_nesting_is_hashed_or_refused() -> None:
    """Nesting that decodes but might not encode again ends in a hash or in BadInputError, never in anything else."""
    for depth in (100, 500, 900, 990, 2_000):
        try:
            assert _hash(b'{"time":1,"x":' + b"[" * depth + b"]" * depth + b"}") < 2**64
        except BadInputError as error:
            assert "nested" in str(error)  # noqa: PT017 - both ends are right


@pytest.mark.parametrize("name", ["heartbeat-message.json", "heartbeat-with-events-message.json"])
def test_captured_heartbeats_are_read(samples: Path, name: str) -> None:
    """Real messages, as a device sent them."""
    content = json.loads((samples / name).read_bytes())["content"]
    beat = read_heartbeat(json.dumps(content).encode())
    assert beat.status == "up"
    assert len(beat.events or []) == len(content["events"])


def _hash(body: bytes) -> int:
    return content_hash(body, read_heartbeat(body))
