"""What callers are told while Kafka, ClickHouse or the deciding worker is away, and that nothing accepted is lost."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import confluent_kafka
import httpx
import psutil
import pytest
from aiokafka import AIOKafkaConsumer

from cli.service.setup import set_up
from local.free_ports import free_ports
from local.kafka.broker import KafkaBroker
from settings import load
from tests.api.fleet import Device, Operator
from tests.api.go_client import GoClient, path_of
from tests.api.installation import Api, api_process, python_process, until
from tests.conftest import CACHE
from tests.streams.heartbeats.record_entries import entries_of

DEAD = "127.0.0.1:1"
HANG_UP_S = 0.7


def test_without_kafka_heartbeats_are_refused_at_once(variables: dict[str, str], tmp_path: Path) -> None:
    """503 with `Retry-After` at once when down; not ready, and it says why; live all the same."""
    with api_process({**variables, "MUSTER_KAFKA": DEAD}, tmp_path / "log", is_ready=False) as api:
        with GoClient(api.port) as edge:
            started_s = time.perf_counter()
            answer = edge.call("PUT", path_of("d1", "heartbeat"), {})
            assert time.perf_counter() - started_s < HANG_UP_S
        assert answer.status == 503
        assert answer.header("retry-after") == "1"
        assert "Kafka" in answer.json["message"]
        ready = httpx.get(f"{api.url}/health/ready")
        assert ready.status_code == 503
        assert "Kafka" in ready.json()["message"]


def test_until_the_fleet_is_loaded_only_heartbeats_are_taken(fresh: dict[str, str], tmp_path: Path) -> None:
    """While a process has not loaded yet: 503 for all but heartbeats."""
    without = {**fresh, "MUSTER_CLICKHOUSE": f"http://{DEAD}"}
    with api_process(without, tmp_path / "log", is_ready=False) as api, GoClient(api.port) as edge:
        until(lambda: edge.call("PUT", path_of("d1", "heartbeat"), {"status": "up"}).status == 200)
        for method, call, body in [
            ("GET", "registration", None),
            ("GET", "configuration", None),
            ("GET", "playbookexecutions", None),
            ("POST", "enrolment", {}),
        ]:
            assert edge.call(method, path_of("d1", call), body).status == 503
        assert httpx.get(f"{api.url}/api/v1/namespaces").status_code == 503
        assert httpx.get(f"{api.url}/health/ready").status_code == 503


async def test_a_heartbeat_nobody_could_judge_is_marked_unchecked(
    fresh: dict[str, str], kafka: str, tmp_path: Path
) -> None:
    """Before a process has finished its first load it accepts and marks the heartbeat unchecked in the envelope."""
    without = {**fresh, "MUSTER_CLICKHOUSE": f"http://{DEAD}"}
    with api_process(without, tmp_path / "log", is_ready=False) as api, GoClient(api.port) as edge:
        until(lambda: edge.call("PUT", path_of("d1", "heartbeat"), {}).status == 200)
    topic = f"{fresh['MUSTER_KAFKA_TOPIC_PREFIX']}.heartbeats"
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        entries = entries_of((await consumer.getone()).value)
    assert [(entry.device_id, entry.is_checked, entry.wanted_version) for entry in entries] == [("d1", False, None)]


def test_without_the_deciding_worker_outcomes_are_unknown(fresh: dict[str, str], tmp_path: Path) -> None:
    """The caller is answered at the deadline with 504 and the request id, with which a retry is not applied twice."""
    with api_process(fresh, tmp_path / "log", API_OPERATOR_DEADLINE_MS=500) as api, GoClient(api.port) as edge:
        started_s = time.perf_counter()
        answer = edge.call("POST", path_of("d1", "enrolment"), {})
        assert time.perf_counter() - started_s < HANG_UP_S
        assert answer.status == 503
        made = httpx.post(f"{api.url}/api/v1/namespaces", json={"metadata": {"name": "ns1"}})
        assert made.status_code == 504
        request_id = made.headers["muster-request-id"]
        assert request_id in made.json()["message"]

        with python_process(["streams", "commands"], fresh, tmp_path / "commands.log"):
            headers = {"Muster-Request-Id": request_id}
            document = {"metadata": {"name": "ns1"}}
            again = until(
                lambda: _created(httpx.post(f"{api.url}/api/v1/namespaces", json=document, headers=headers)), 30
            )
            assert again.json()["metadata"]["name"] == "ns1"
            other = httpx.post(f"{api.url}/api/v1/namespaces", json=document)
            assert other.status_code == 409


def _created(answer: httpx.Response) -> httpx.Response | None:
    assert answer.status_code in (201, 504), answer.text
    return answer if answer.status_code == 201 else None


def test_a_change_is_read_at_every_process(variables: dict[str, str], api: Api, operator: Operator, logs: Path) -> None:
    """A change reaches each of two API processes through the feed; each answers devices by it."""
    with (
        api_process(variables, logs / "second.log") as second,
        GoClient(second.port) as there,
        GoClient(api.port) as here,
    ):
        device = Device(here, operator).become("registered")
        path = path_of(device.device_id, "configuration")
        until(lambda: there.call("GET", path).status == 200)
        assert there.call("GET", path).body == here.call("GET", path).body
        operator.decline(device.device_id)
        until(lambda: there.call("GET", path).status == 404)


def test_a_restarted_process_knows_what_it_knew(variables: dict[str, str], registered: Device, logs: Path) -> None:
    """Loaded from the database, with equal content and version."""
    before = registered.call("GET", "configuration").body
    with api_process(variables, logs / "third.log") as third, GoClient(third.port) as edge:
        assert edge.call("GET", path_of(registered.device_id, "configuration")).body == before


def test_stopping_loses_nothing_accepted(fresh: dict[str, str], kafka: str, tmp_path: Path) -> None:
    """Heartbeats under way when the process is told to stop are answered, and what was answered 200 is in the log."""
    answered: list[int] = []

    with (
        api_process(fresh, tmp_path / "log") as api,
        python_process(["streams", "commands"], fresh, tmp_path / "c.log"),
    ):
        with GoClient(api.port) as edge, Operator(api.url) as operator:
            until(lambda: Device(edge, operator).enrol().status == 201, 30)
            device = Device(edge, operator).become("registered")

        def beat() -> None:
            with GoClient(api.port) as edge:
                while True:
                    try:
                        answered.append(edge.call("PUT", path_of(device.device_id, "heartbeat"), {}).status)
                    except OSError:
                        return

        beating = [threading.Thread(target=beat) for _ in range(8)]
        for thread in beating:
            thread.start()
        until(lambda: len(answered) > 50)
        started_s = time.perf_counter()
        api.process.terminate()
        assert api.process.wait(timeout=5) == 0
        assert time.perf_counter() - started_s < 5
        for thread in beating:
            thread.join(timeout=5)
    assert set(answered) == {200}
    assert _stored(fresh, kafka) >= len(answered)


def _stored(variables: dict[str, str], kafka: str) -> int:
    topic = f"{variables['MUSTER_KAFKA_TOPIC_PREFIX']}.heartbeats"
    consumer = confluent_kafka.Consumer({"bootstrap.servers": kafka, "group.id": "count", "enable.auto.commit": False})
    places = [confluent_kafka.TopicPartition(topic, partition, 0) for partition in range(12)]
    consumer.assign(places)
    wanted = sum(consumer.get_watermark_offsets(place)[1] for place in places)
    found = records = 0
    while records < wanted:
        message = consumer.poll(5)
        assert message is not None
        records += 1
        found += sum(entry.kind == "heartbeat" for entry in entries_of(message.value()))
    consumer.close()
    return found


@pytest.fixture
def own_kafka(variables: dict[str, str], tmp_path: Path) -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    """The process of a broker of the test's own, and an installation on it."""
    (port,) = free_ports(1, consecutive=2)
    with KafkaBroker(tmp_path / "kafka", CACHE, port) as broker:
        name = f"t{uuid4().hex[:12]}"
        own = {**variables, "MUSTER_CLICKHOUSE_DATABASE": name, "MUSTER_KAFKA": broker.bootstrap}
        own["MUSTER_KAFKA_REPLICATION"] = "1"
        set_up(load(own), datetime(2026, 11, 22, 12, tzinfo=UTC))
        yield psutil.Process(broker.pid), own


def test_while_kafka_stalls_errors_come_in_time_and_then_it_goes_on(
    own_kafka: tuple[psutil.Process, dict[str, str]], tmp_path: Path
) -> None:
    """Enforce a deadline: an unanswered call also blocks the device's other posts. Afterwards it works by itself."""
    broker, own = own_kafka
    without = {**own, "MUSTER_CLICKHOUSE": f"http://{DEAD}"}
    with api_process(without, tmp_path / "log", is_ready=False) as api, GoClient(api.port) as edge:
        beat = lambda: edge.call("PUT", path_of("d1", "heartbeat"), {})  # noqa: E731
        until(lambda: beat().status == 200)
        broker.suspend()
        try:
            for _ in range(4):
                started_s = time.perf_counter()
                assert beat().status == 503
                assert time.perf_counter() - started_s < HANG_UP_S
            # Once a record is overdue, nobody waits for the next.
            started_s = time.perf_counter()
            assert beat().status == 503
            assert time.perf_counter() - started_s < 0.1
        finally:
            broker.resume()
        until(lambda: beat().status == 200, 30)


def test_a_process_that_lost_its_feed_serves_on_and_says_so(
    own_kafka: tuple[psutil.Process, dict[str, str]], tmp_path: Path
) -> None:
    """It says how old its answers are, and past a bound refuses registrations; then it finds back by itself."""
    broker, own = own_kafka
    with (
        api_process(own, tmp_path / "log", API_FEED_STALE_AFTER_S=1) as api,
        python_process(["streams", "commands"], own, tmp_path / "commands.log"),
        GoClient(api.port) as edge,
        Operator(api.url) as operator,
    ):
        until(lambda: Device(edge, operator).enrol().status == 201, 30)
        device = Device(edge, operator).become("registered")
        assert device.call("GET", "configuration").header("muster-feed-age") is None
        broker.suspend()
        try:
            until(lambda: device.call("GET", "configuration").header("muster-feed-age") is not None, 20)
            assert device.call("GET", "configuration").status == 200
            assert int(operator.http.get("/api/v1/namespaces").headers["muster-feed-age"]) >= 5
            refused = device.call("PUT", "registration", {"certificate_request": device.request})
            assert (refused.status, "feed" in refused.json["message"]) == (503, True)
            assert "feed" in str(operator.http.get("/health/ready").json()["degraded"])
        finally:
            broker.resume()
        until(lambda: device.register().status == 200, 30)
        until(lambda: operator.http.get("/health/ready").json()["degraded"] == [], 30)


def test_a_process_stops_in_time_while_kafka_stalls(
    own_kafka: tuple[psutil.Process, dict[str, str]], tmp_path: Path
) -> None:
    """Nothing it waits for may hold it: whoever supervises it would kill it, and what it should say would be lost."""
    broker, own = own_kafka
    log = tmp_path / "log"
    with api_process(own, log) as api:
        broker.suspend()
        try:
            # It asks for the topics' ids every two seconds, and would wait ten for the answer.
            time.sleep(3)
            api.process.terminate()
            assert api.process.wait(timeout=9) == 0
        finally:
            broker.resume()
    assert "Traceback" not in log.read_text()
