"""What simulated devices say: seeded, readable, and like the messages of real ones."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli.simulate.hardware import full_hardware
from cli.simulate.heartbeat_content import HeartbeatContent
from fleet.heartbeats.heartbeat import read_heartbeat

START_MS = 1_700_000_000_000
DEVICES = 120
BEATS = 60


def beats(index: int, seed: int = 1, workloads: tuple[str, ...] = (), count: int = BEATS) -> list[bytes]:
    """One device's heartbeats, a minute apart."""
    content = HeartbeatContent(seed, index)
    return [content.next("v1", workloads, START_MS + beat * 60_000) for beat in range(count)]


@pytest.fixture(scope="module")
def fleet() -> list[list[bytes]]:
    """The heartbeats of a fleet, by device."""
    return [beats(index) for index in range(DEVICES)]


def test_same_seed_says_the_same() -> None:
    """A run can be repeated, and another seed is another run."""
    assert beats(7) == beats(7)
    assert beats(7) != beats(7, seed=2)
    assert beats(7) != beats(8)


def test_every_heartbeat_is_one_the_service_reads(fleet: list[list[bytes]]) -> None:
    """The decoder that judges devices accepts all of them, and they end as the Edge API's do."""
    for bodies in fleet:
        for body in bodies:
            read_heartbeat(body)
            assert body.endswith(b"}\n")


def test_most_heartbeats_repeat_the_last_one_byte_for_byte(fleet: list[list[bytes]]) -> None:
    """About one in twenty changes; with its event or hardware gone again in the next one, up to one in five differs."""
    differing = sum(one != other for bodies in fleet for one, other in pairwise(bodies))
    share = differing / (DEVICES * (BEATS - 1))
    assert 0.05 < share < 0.2


def test_full_hardware_comes_first_and_about_once_in_a_hundred(fleet: list[list[bytes]]) -> None:
    """As after the start of an agent, and after its restarts."""
    full = [["cpu" in (json.loads(body).get("hardware") or {}) for body in bodies] for bodies in fleet]
    assert all(device[0] for device in full)
    share = sum(sum(device[1:]) for device in full) / (DEVICES * (BEATS - 1))
    assert 0.005 < share < 0.02


def test_shapes_are_those_that_real_devices_send(fleet: list[list[bytes]]) -> None:
    """Several spellings of one status, zero times of both sorts, offsets, null and empty lists, agents of all ages."""
    contents: list[dict[str, Any]] = [json.loads(body) for bodies in fleet for body in bodies]
    workloads = [workload for content in contents for workload in content["workloads"] or ()]
    assert {"Running", "running", "Created", "deploying", "Exited", "stopped", "crashed"} <= {
        workload["status"] for workload in workloads
    }
    uploads = {workload["last_data_upload"] for workload in workloads}
    assert {"0001-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"} < uploads
    assert any(upload.endswith("+02:00") for upload in uploads)
    assert any(upload.endswith("-05:30") for upload in uploads)
    assert {None, "list"} == {None if content["workloads"] is None else "list" for content in contents}
    assert any(content["events"] is None for content in contents)
    assert {content["status"] for content in contents} <= {"up", "degraded"}
    assert any("hardware" not in content for content in contents)
    assert any(content.get("hardware", {}).get("disks", 0) is None for content in contents)
    assert all(list(content) == sorted(content) for content in contents)


def test_events_come_with_changes_and_some_are_equal(fleet: list[list[bytes]]) -> None:
    """A failing start is reported once for each container in the same words."""
    events = [json.loads(body)["events"] for bodies in fleet for body in bodies]
    told = [some for some in events if some]
    assert 0.005 < len(told) / len(events) < 0.05
    assert any(len(some) > 1 and some[0] == some[1] for some in told)
    assert Counter(event["type"] for some in told for event in some).keys() == {"info", "warn"}


def test_device_reports_what_its_configuration_told_it_to_run() -> None:
    """And takes on a new configuration with its next heartbeat."""
    content = HeartbeatContent(1, 3)
    content.next("v1", ("web",), START_MS)
    told = json.loads(content.next("v2", ("web", "camera"), START_MS))
    assert told["version"] == "v2"
    assert [workload["name"] for workload in told["workloads"]] == ["web", "camera"]


def test_sizes_reach_those_of_the_real_samples(fleet: list[list[bytes]], samples: Path) -> None:
    """The smallest is no larger than the real one without events, the largest no smaller than the one with four."""
    real = [
        len(orjson.dumps(json.loads((samples / name).read_text())["content"]))
        for name in ("heartbeat-message.json", "heartbeat-with-events-message.json")
    ]
    sizes = [len(body) for bodies in fleet for body in bodies[1:]]
    without_hardware = [size for size in sizes if size < 10_000]
    assert min(without_hardware) <= real[0]
    assert max(without_hardware) >= real[1]


def test_shape_has_the_fields_of_the_real_samples(fleet: list[list[bytes]], samples: Path) -> None:
    """Every field of a real heartbeat that the Edge API lets through occurs in simulated ones."""
    ours = {path for bodies in fleet for body in bodies for path in _paths(json.loads(body))}
    for name in ("heartbeat-message.json", "heartbeat-with-events-message.json"):
        content = json.loads((samples / name).read_text())["content"]
        content.pop("time")
        assert _paths(content) <= ours


def test_hardware_is_like_a_real_registrations(samples: Path) -> None:
    """The fields of the real message occur, but those of single disks; its size lies within ours."""
    message = json.loads((samples / "registration-message.json").read_text())["Message"]["content"]
    ours = [full_hardware(1, index) for index in range(300)]
    real_paths = {path for path in _paths(message["hardware"]) if path != ("interfaces", "biosdevname")}
    gpus = {path for path in real_paths if path[0] == "gpus"}
    assert real_paths - gpus <= {path for hardware in ours for path in _paths(hardware)}
    sizes = [len(orjson.dumps(hardware)) for hardware in ours]
    assert min(sizes) >= 10_000 * 0.95
    assert max(sizes) <= 17_000
    assert min(sizes) <= len(orjson.dumps(message["hardware"])) * 1.1


def _paths(value: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Names of fields down to the leaves; lists are looked through."""
    if isinstance(value, dict):
        return {leaf for key, inner in value.items() for leaf in _paths(inner, (*path, key))} or {path}
    if isinstance(value, list):
        return {leaf for inner in value for leaf in _paths(inner, path)} or {path}
    return {path}
