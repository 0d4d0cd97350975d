"""The gate through which a device gets its certificate (CONTRACT.md “Who may register”)."""

from base64 import b64decode, b64encode

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.api.conftest import StoredEvents, StoredIdentity
from tests.api.fleet import Device, certificate_request
from tests.api.go_client import BASE, GoClient, path_of
from tests.api.installation import Api, until
from tests.streams.heartbeats.record_entries import entries_of

BAD_NAMES = [
    "..",
    ".",
    "%2A",
    "*",
    "a%2Fb",
    "a%3Bb",
    "%64ev1",
    "Dev1",
    "DEV",
    "-a",
    "a-",
    "a_b",
    "a%20b",
    "%C3%BC",
    "x" * 300,
    "a..b",
    "",
]


@pytest.mark.parametrize("name", [*BAD_NAMES, "register"])
@pytest.mark.parametrize(("method", "call"), [("GET", "registration"), ("PUT", "heartbeat"), ("POST", "enrolment")])
def test_ids_that_are_no_lower_case_kubernetes_names_are_refused(
    edge: GoClient, name: str, method: str, call: str
) -> None:
    """Accept lower-case Kubernetes names only (others: 400); refuse `*` and `register`."""
    answer = edge.call(method, path_of(name, call), None if method == "GET" else {})
    assert answer.status == 400, answer.body
    assert "device id" in answer.json["message"]


@pytest.mark.parametrize("name", [*BAD_NAMES, "a.b", "x" * 64])
def test_namespaces_that_are_no_names_are_refused(edge: GoClient, name: str) -> None:
    """`..` arrives raw, `a/b` as `a%2Fb`: neither is a namespace."""
    answer = edge.call("POST", path_of("dev1", "enrolment", name), {})
    assert answer.status == 400, answer.body
    assert "namespace" in answer.json["message"]


def test_an_id_with_a_bare_slash_is_another_path(edge: GoClient) -> None:
    """More segments than the six calls have."""
    assert edge.call("GET", f"{BASE}/namespaces/default/devices/a/b/registration").status == 404


def test_a_registration_without_a_request_is_refused(device: Device) -> None:
    """A registration without a valid CSR is refused with 400."""
    device.become("approved")
    for body in ({}, {"certificate_request": ""}, {"certificate_request": None}):
        answer = device.call("PUT", "registration", body)
        assert answer.status == 400
        assert "certificate_request" in answer.json["message"]
    assert device.call("GET", "configuration").status == 404


def test_a_request_that_is_no_csr_is_refused(device: Device) -> None:
    """Text, a truncated request, a key instead of a request."""
    device.become("approved")
    for text in ("x", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "ü" * 30_000):
        assert device.register(text).status == 400


def test_a_request_signed_by_another_key_is_refused(device: Device) -> None:
    """Verify the CSR: whoever does not hold the key cannot register with it."""
    device.become("approved")
    lines = device.request.strip().splitlines()
    der = bytearray(b64decode("".join(lines[1:-1])))
    der[-1] ^= 1
    text = b64encode(bytes(der)).decode()
    answer = device.register("\n".join([lines[0], text, lines[-1]]))
    assert answer.status == 400
    assert "certificate_request" in answer.json["message"]


def test_the_same_key_may_always_renew(registered: Device, stored_identity: StoredIdentity) -> None:
    """The same key is a renewal, always allowed."""
    assert registered.register().status == 200
    registered.beat()
    until(lambda: stored_identity(registered).is_key_proven)
    assert registered.register().status == 200


def test_a_renewal_that_changes_nothing_is_no_change_of_the_device(
    registered: Device, stored_identity: StoredIdentity
) -> None:
    """A device approved at once registers twice."""
    registration = {"certificate_request": registered.request, "hardware": {"hostname": "till-1"}}
    assert registered.call("PUT", "registration", registration).status == 200
    first = stored_identity(registered)
    assert first.hardware_labels["device.hostname"] == "till-1"
    assert registered.call("PUT", "registration", registration).status == 200
    assert stored_identity(registered) == first


async def test_the_same_registration_at_once_stores_its_hardware_once(
    registered: Device, stored_identity: StoredIdentity, kafka: str
) -> None:
    """Unless it says something else, or the device has been at work meanwhile."""

    async def stored_after(hostname: str, request: str) -> int:
        before = len(await hardware_of(registered, kafka))
        registration = {"certificate_request": request, "hardware": {"hostname": hostname}}
        assert registered.call("PUT", "registration", registration).status == 200
        return len(await hardware_of(registered, kafka)) - before

    assert await stored_after("till-1", registered.request) == 1
    assert await stored_after("till-1", registered.request) == 0
    assert await stored_after("till-2", registered.request) == 1
    assert await stored_after("till-1", registered.request) == 1
    other = certificate_request(registered.device_id)
    assert await stored_after("till-1", other) == 1
    assert await stored_after("till-1", registered.request) == 1
    assert await stored_after("till-1", registered.request) == 0
    assert registered.beat().status == 200
    until(lambda: stored_identity(registered).is_key_proven)
    assert await stored_after("till-1", registered.request) == 1


@pytest.mark.parametrize("proof", ["heartbeat", "configuration"])
def test_another_key_may_come_until_the_first_is_proven(
    registered: Device, stored_identity: StoredIdentity, proof: str
) -> None:
    """Another key is allowed until the device's first heartbeat or configuration poll in its namespace."""
    other = certificate_request(registered.device_id)
    assert registered.register(other).status == 200
    if proof == "heartbeat":
        assert registered.beat().status == 200
    else:
        assert registered.call("GET", "configuration").status == 200
    until(lambda: stored_identity(registered).is_key_proven)
    assert registered.register(other).status == 200


async def test_another_key_than_the_proven_one_stores_nothing(
    registered: Device, stored_identity: StoredIdentity, kafka: str
) -> None:
    """403: not approved, or another key; nothing is stored."""
    registered.beat()
    until(lambda: stored_identity(registered).is_key_proven)
    before = await hardware_of(registered, kafka)
    assert registered.register(certificate_request(registered.device_id)).status == 403
    assert await hardware_of(registered, kafka) == before
    assert len(set(before)) == 1


def test_other_keys_are_events_of_the_device(
    registered: Device, stored_identity: StoredIdentity, stored_events: StoredEvents
) -> None:
    """A second key before the proof raises an event; afterwards it is refused and reported."""
    assert registered.register(certificate_request(registered.device_id)).status == 200
    assert registered.beat().status == 200
    until(lambda: stored_identity(registered).is_key_proven)
    assert registered.register(certificate_request(registered.device_id)).status == 403
    until(lambda: stored_events(registered) == [("warn", "KeyChanged", "muster"), ("warn", "KeyRefused", "muster")])


async def test_a_registration_publishes_its_hardware_first(registered: Device, kafka: str) -> None:
    """PUT registration: hardware and CSR stored, device registered."""
    (body,) = set(await hardware_of(registered, kafka))
    assert body == b'{"hardware":{"hostname":"' + registered.device_id.encode() + b'"}}'


def test_hardware_labels_of_a_registration_select_workloads(registered: Device) -> None:
    """Hardware labels from registration take part in selection."""
    name = registered.device_id
    spec = {
        "type": "pod",
        "deviceSelector": {"matchLabels": {"device.hostname": name}},
        "pod": {"spec": {"containers": [{"name": "c", "image": "i:1"}]}},
    }
    path = "/apis/management.project-flotta.io/v1alpha1/namespaces/default/edgeworkloads"
    registered.operator.create(path, {"metadata": {"name": name}, "spec": spec})
    workloads = registered.call("GET", "configuration").json["device-configuration"]["workloads"]
    assert [workload["name"] for workload in workloads] == [name]


def test_every_refusal_is_logged_with_device_and_reason(device: Device, api: Api) -> None:
    """Log every refusal on our side: the Edge API shows our messages to nobody."""
    device.become("declined")
    device.call("GET", "registration")
    lines = [line for line in api.log.read_text().splitlines() if device.device_id in line and "refused" in line]
    assert any('"status": 403' in line and "declined" in line for line in lines), lines


async def hardware_of(device: Device, kafka: str) -> list[bytes]:
    """The hardware entries of a device in the log."""
    found = []
    async with AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        places = [TopicPartition("api-tests.heartbeats", partition) for partition in range(12)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        for place, end in ends.items():
            while await consumer.position(place) < end:
                record = await consumer.getone(place)
                found += [
                    entry.body
                    for entry in entries_of(record.value)
                    if entry.device_id == device.device_id and entry.kind == "hardware"
                ]
    return found
