"""How answers must look so that the Edge API's client works with them (CONTRACT.md “Answering this client”)."""

import json
import time

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from fleet.position import Position
from tests.api.fleet import FLOTTA, Device
from tests.api.go_client import BASE, GoClient, RawAnswer, path_of
from tests.streams.heartbeats.record_entries import entries_of

LARGE = "x" * 30_000


def has_no_body(answer: RawAnswer) -> bool:
    """Whether an answer is what accepted posts get."""
    return (
        answer.body == b""
        and answer.header("content-length") == "0"
        and answer.header("transfer-encoding") is None
        and answer.header("content-type") in (None, "application/json")
    )


def test_accepted_posts_have_no_body_and_say_so(device: Device) -> None:
    """Answer heartbeat, PUT registration and enrolment with no body and `Content-Length: 0`."""
    assert has_no_body(device.enrol())
    device.operator.approve(device.device_id)
    assert has_no_body(device.enrol())
    assert has_no_body(device.register())
    assert has_no_body(device.beat())


def test_thirty_heartbeats_take_one_connection(registered: Device) -> None:
    """With a body, even `{}`, or chunked, the client drops the connection."""
    assert {registered.beat(status="up").status for _ in range(30)} == {200}
    assert registered.client.connections == 1


def test_thirty_reads_of_a_large_configuration_take_one_connection(registered: Device) -> None:
    """GETs need a `Content-Length` too (30 kB chunked: 29 connections)."""
    name = registered.device_id
    container = {"name": "c", "image": "i:1", "env": [{"name": "LARGE", "value": LARGE}]}
    spec = {"type": "pod", "device": name, "pod": {"spec": {"containers": [container]}}}
    registered.operator.create(f"{FLOTTA}/namespaces/default/edgeworkloads", {"metadata": {"name": name}, "spec": spec})
    for _ in range(30):
        answer = registered.call("GET", "configuration")
        assert answer.status == 200
        assert answer.header("content-length") == str(len(answer.body))
        assert answer.header("transfer-encoding") is None
        assert len(answer.body) > len(LARGE)
    assert registered.client.connections == 1


@pytest.mark.parametrize("call", ["registration", "configuration", "playbookexecutions"])
def test_reads_are_json_with_their_length(registered: Device, call: str) -> None:
    """`Content-Type: application/json` or none; a malformed one makes an accepted call fail."""
    answer = registered.call("GET", call)
    assert answer.status == 200
    assert answer.header("content-type") == "application/json"
    assert answer.header("content-length") == str(len(answer.body))


def test_playbook_executions_are_a_bare_array(registered: Device) -> None:
    """A bare JSON array, `[]` when none."""
    assert registered.call("GET", "playbookexecutions").body == b"[]"


def test_a_registration_is_told_as_the_contract_says(registered: Device) -> None:
    """`{status, namespace, message}`; `status: unregistered`, exactly spelled, sends the device a disconnect."""
    told = registered.call("GET", "registration").json
    assert told == {"status": "registered", "namespace": "default", "message": ""}
    registered.operator.decline(registered.device_id)
    assert registered.call("GET", "registration").json["status"] == "unregistered"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{BASE}", 404),
        ("GET", f"{BASE}/", 404),
        ("GET", f"{BASE}/namespaces/default/devices/d", 404),
        ("GET", f"{BASE}/namespaces/default/devices/d/nothing", 404),
        ("GET", f"{BASE}/namespaces/default/devices/d/configuration/", 404),
        ("GET", f"{BASE}//namespaces/default/devices/d/configuration", 404),
        ("GET", path_of("d", "heartbeat"), 405),
        ("POST", path_of("d", "registration"), 405),
        ("PUT", path_of("d", "configuration"), 405),
        ("DELETE", path_of("d", "enrolment"), 405),
        ("PATCH", path_of("d", "playbookexecutions"), 405),
        ("OPTIONS", path_of("d", "heartbeat"), 405),
        ("GET", "/", 404),
        ("GET", "/nothing", 404),
        ("POST", "/metrics", 405),
        ("GET", "/api/v1/nothing", 404),
        ("GET", f"{FLOTTA}/nothing", 404),
        ("PUT", f"{FLOTTA}/namespaces/default/edgeworkloads", 405),
    ],
)
def test_errors_have_a_message_on_every_path(edge: GoClient, method: str, path: str, status: int) -> None:
    """Errors are `{"message": "…"}` on every path, 404 and 405 included. Never redirect."""
    answer = edge.call(method, path, {} if method in ("PUT", "POST", "PATCH") else None)
    assert answer.status == status, answer.body
    assert answer.json["message"]
    assert answer.header("content-type") == "application/json"
    assert answer.header("location") is None


def test_a_wrong_method_is_told_the_right_ones(edge: GoClient) -> None:
    """405 says what is allowed."""
    assert edge.call("DELETE", path_of("d", "registration")).header("allow") == "GET, PUT"


def test_answers_come_well_before_a_device_hangs_up(registered: Device) -> None:
    """Be quick: under 700 ms, errors too."""
    for method, call, body in [
        ("GET", "configuration", None),
        ("PUT", "heartbeat", {"status": "up"}),
        ("PUT", "heartbeat", {"status": 1}),
    ]:
        started_s = time.perf_counter()
        registered.call(method, call, body)
        assert time.perf_counter() - started_s < 0.7


def test_the_same_bytes_are_accepted_again(registered: Device) -> None:
    """Heartbeat errors are multiplied: expect the same bytes again. Each gets a position of its own."""
    body = b'{"events":null,"playbook-executions":null,"status":"up","workloads":null}\n'
    positions = {registered.call("PUT", "heartbeat", body).header("muster-position") for _ in range(4)}
    assert len(positions) == 4


async def test_an_accepted_heartbeat_stands_where_the_answer_says(registered: Device, kafka: str) -> None:
    """200 only after the broker acknowledged, with the position in a header, and the bytes as they came."""
    body = json.dumps({"status": "up", "version": "7", "unknown": "ü"}, ensure_ascii=False).encode()
    answer = registered.call("PUT", "heartbeat", body)
    position = Position.parse(answer.header("muster-position") or "")
    place = TopicPartition("api-tests.heartbeats", position.partition)
    async with AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="none") as consumer:
        consumer.assign([place])
        consumer.seek(place, position.offset)
        record = await consumer.getone(place)
    entry = entries_of(record.value)[position.batch_index]
    assert (entry.namespace, entry.device_id, entry.body) == ("default", registered.device_id, body)
    assert (position.epoch, entry.is_checked, entry.kind) == (1, True, "heartbeat")


async def test_a_heartbeat_carries_the_version_wanted_for_its_device(registered: Device, kafka: str) -> None:
    """The envelope carries the configuration version wanted, if the process has it assembled."""
    version = registered.call("GET", "configuration").json["device-configuration"]["version"]
    position = Position.parse(registered.beat(version="old").header("muster-position") or "")
    place = TopicPartition("api-tests.heartbeats", position.partition)
    async with AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="none") as consumer:
        consumer.assign([place])
        consumer.seek(place, position.offset)
        record = await consumer.getone(place)
    assert entries_of(record.value)[position.batch_index].wanted_version == version
