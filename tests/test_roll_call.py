"""One device goes the whole way on real parts: enrol, be approved, register, be configured, beat, be found by SQL.

The service is started as a person starts it, by `muster up`, on ports and a data folder of the test's own.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.free_ports import free_ports

pytestmark = pytest.mark.timeout(420)

BASE = "/api/flotta-backend/v1"
READY_WITHIN_S = 240  # the first start may download Kafka
VISIBLE_WITHIN_S = 10  # generous: other tests may share the machine

RESOURCES = """\
apiVersion: v1
kind: Namespace
metadata: {name: shops}
---
apiVersion: v1
kind: Secret
metadata: {name: web-credentials, namespace: shops}
stringData: {token: planted-secret-value}
---
apiVersion: management.project-flotta.io/v1alpha1
kind: EdgeDeviceSet
metadata: {name: kiosks, namespace: shops}
spec:
  heartbeat: {periodSeconds: 15}
---
apiVersion: management.project-flotta.io/v1alpha1
kind: EdgeWorkload
metadata: {name: web, namespace: shops}
spec:
  deviceSelector: {matchLabels: {flotta/member-of: kiosks}}
  type: pod
  pod:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          envFrom: [{secretRef: {name: web-credentials}}]
"""


EVENTS = "SELECT type, reason, message FROM device_events WHERE device_id = {device:String} AND source = 'device'"


class Installation:
    """A running `muster up` and what a person, an analyst and the Edge API see of it."""

    def __init__(self, data: Path, **variables: str) -> None:
        http, kafka, clickhouse = free_ports(3, consecutive=2)
        self.data = data
        self.clickhouse_port = clickhouse
        self.environ = {
            **os.environ,
            "MUSTER_DATA": str(data),
            "MUSTER_HTTP_PORT": str(http),
            "MUSTER_KAFKA_PORT": str(kafka),
            "MUSTER_CLICKHOUSE_PORT": str(clickhouse),
            **variables,
        }
        self.port = http
        self.url = f"http://127.0.0.1:{http}"
        self.http = httpx.Client(base_url=self.url, timeout=15)
        self.output = data.with_suffix(".out")

    def start(self) -> None:
        """Run `muster up` until it is ready."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli", "up"], env=self.environ, stdout=output, stderr=subprocess.STDOUT
            )
        until(self.is_ready, READY_WITHIN_S, self.output.read_text)

    def is_ready(self) -> bool:
        """Whether the API says so."""
        assert self.process.poll() is None, f"muster up ended: {self.output.read_text()}"
        try:
            return self.http.get("/health/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def stop(self) -> list[psutil.Process]:
        """Press Ctrl-C; the processes that were there and are still alive 10 s later."""
        family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        self.process.send_signal(signal.SIGINT)
        _, alive = psutil.wait_procs(family[1:], timeout=10)
        self.process.wait(10)
        return alive

    def muster(self, *arguments: str, text: str | None = None) -> str:
        """Run a client command that must succeed; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            env=self.environ,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sql(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Ask as the analyst would."""
        client = clickhouse_connect.get_client(
            host="127.0.0.1",
            port=self.clickhouse_port,
            username="analyst",
            password=(self.data / "keys" / "analyst").read_text().strip(),
            database="muster",
        )
        rows: list[tuple[Any, ...]] = list(client.query(query, parameters=parameters).result_rows)
        client.close()
        return rows


def until(condition: Any, within_s: float, explain: Any = lambda: "") -> Any:
    """The first true value of the condition. Fails after the time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    pytest.fail(f"not within {within_s} s: {explain()}")


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, kafka_replication: int, request: pytest.FixtureRequest
) -> Iterator[Installation]:
    """One installation for this module, with a broker of its own unless the tests share several."""
    shared = {}
    if kafka_replication > 1:
        replication = str(kafka_replication)
        shared = {"MUSTER_KAFKA": request.getfixturevalue("kafka"), "MUSTER_KAFKA_REPLICATION": replication}
    with running(Installation(tmp_path_factory.mktemp("roll-call") / "data", **shared)) as installation:
        yield installation


@contextmanager
def running(installation: Installation) -> Iterator[Installation]:
    """Started for the block; stopped, it leaves no process behind."""
    try:
        installation.start()
        yield installation
    finally:
        installation.http.close()
        if installation.process.poll() is None:
            assert installation.stop() == []


def certificate_request(device_id: str) -> str:
    """A CSR as an agent makes it, with a key made here."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def join(installation: Installation, device_id: str, namespace: str, *approve: str) -> str:
    """Enrol, be approved and register as the Edge API forwards it. The registered CSR."""
    http = installation.http
    initial = f"{BASE}/namespaces/default/devices/{device_id}"
    target = f"{BASE}/namespaces/{namespace}/devices/{device_id}"
    enrolment = {"features": {"hardware": {"hostname": device_id}}, "target_namespace": namespace}
    assert http.post(f"{target}/enrolment", json=enrolment).status_code == 201
    assert http.get(f"{initial}/registration").status_code == 403
    installation.muster("approve", device_id, *approve)
    assert http.post(f"{target}/enrolment", json=enrolment).status_code == 200
    answer = http.get(f"{initial}/registration")
    assert answer.status_code == 200
    assert answer.json()["status"] == "registered"
    assert answer.json()["namespace"] == namespace
    request = certificate_request(device_id)
    hardware = {"hostname": device_id, "cpu": {"architecture": "x86_64", "flags": []}}
    registered = http.put(f"{target}/registration", json={"certificate_request": request, "hardware": hardware})
    assert registered.status_code == 200, registered.text
    assert registered.headers["content-length"] == "0"
    return request


def test_one_device_goes_the_whole_way(installation: Installation) -> None:
    """From an unknown id to rows that an analyst finds, and the workload and secret it was told to run."""
    installation.muster("apply", "-f", "-", text=RESOURCES)
    join(installation, "kiosk-1", "shops", "--set", "kiosks")

    device = f"{BASE}/namespaces/shops/devices/kiosk-1"
    answer = installation.http.get(f"{device}/configuration")
    assert answer.status_code == 200, answer.text
    configuration = answer.json()["device-configuration"]
    assert configuration["device_id"] == "kiosk-1"
    assert configuration["configuration"]["heartbeat"]["period_seconds"] == 15
    assert [workload["name"] for workload in configuration["workloads"]] == ["web"]
    assert [secret["name"] for secret in configuration["secrets"]] == ["web-credentials"]
    assert installation.http.get(f"{device}/playbookexecutions").json() == []

    heartbeat = {
        "events": [{"reason": "Started", "message": "web is up", "type": "info"}],
        "playbook-executions": None,
        "status": "up",
        "version": configuration["version"],
        "workloads": [{"last_data_upload": "0001-01-01T00:00:00.000Z", "name": "web", "status": "Running"}],
    }
    beat = installation.http.put(f"{device}/heartbeat", content=json.dumps(heartbeat) + "\n")
    assert beat.status_code == 200, beat.text
    epoch, partition, offset, batch_index = (int(part) for part in beat.headers["muster-position"].split("-"))

    by_position = (
        "SELECT count() FROM heartbeats WHERE epoch = {epoch:UInt16} AND partition = {partition:UInt16} "
        "AND offset = {offset:UInt64} AND batch_index = {batch_index:UInt32}"
    )
    place = {"epoch": epoch, "partition": partition, "offset": offset, "batch_index": batch_index}
    until(lambda: installation.sql(by_position, **place) == [(1,)], VISIBLE_WITHIN_S)
    kiosk = {"device": "kiosk-1"}
    status = "SELECT status, version FROM device_status WHERE device_id = {device:String}"
    until(lambda: installation.sql(status, **kiosk) == [("up", configuration["version"])], VISIBLE_WITHIN_S)
    workloads = "SELECT workload, status, last_data_upload FROM workload_status WHERE device_id = {device:String}"
    assert installation.sql(workloads, **kiosk) == [("web", "Running", None)]
    assert installation.sql(EVENTS, **kiosk) == [("info", "Started", "web is up")]


@pytest.mark.parametrize("sample", ["heartbeat-message.json", "heartbeat-with-events-message.json"])
def test_real_messages_go_the_whole_way(installation: Installation, samples: Path, sample: str) -> None:
    """The bodies that a real device sent are found as they were sent."""
    content = json.loads((samples / sample).read_text())["content"]
    device_id = sample.removesuffix("-message.json")
    join(installation, device_id, "default")
    beat = installation.http.put(f"{BASE}/namespaces/default/devices/{device_id}/heartbeat", json=content)
    assert beat.status_code == 200, beat.text
    device = {"device": device_id}
    versions = "SELECT version FROM heartbeats WHERE device_id = {device:String}"
    until(lambda: installation.sql(versions, **device) == [(content["version"],)], VISIBLE_WITHIN_S)
    sent = [(workload["name"], workload["status"]) for workload in content["workloads"] or []]
    found = "SELECT workload, status FROM workload_status WHERE device_id = {device:String}"
    until(lambda: sorted(installation.sql(found, **device)) == sorted(sent), VISIBLE_WITHIN_S)
    events = [(event["type"], event["reason"], event["message"]) for event in content["events"]]
    until(lambda: installation.sql(EVENTS, **device) == events, VISIBLE_WITHIN_S)


def test_the_real_registration_message_is_stored_with_its_hardware(installation: Installation, samples: Path) -> None:
    """17 kB of hardware as a device sent it, with the CSR that the message predates."""
    message = json.loads((samples / "registration-message.json").read_text())
    device_id, content = message["DeviceID"], message["Message"]["content"]
    join(installation, device_id, "default")
    path = f"{BASE}/namespaces/default/devices/{device_id}/registration"
    without_request = installation.http.put(path, json=content)
    assert without_request.status_code == 400
    assert "certificate_request" in without_request.json()["message"]
    registered = installation.http.put(path, json=content | {"certificate_request": certificate_request(device_id)})
    assert registered.status_code == 200, registered.text
    found = (
        "SELECT cpu_model, JSONExtractString(description, 'hostname') FROM hardware WHERE device_id = {device:String}"
    )
    hardware = content["hardware"]
    expected = [(hardware["cpu"]["model_name"], hardware["hostname"])]
    until(lambda: installation.sql(found, device=device_id) == expected, VISIBLE_WITHIN_S)


def test_it_continues_where_it_was_and_leaves_no_process_behind(installation: Installation) -> None:
    """Ctrl-C stops everything within 10 s; a start on the same folder serves the same configuration."""
    join(installation, "kiosk-2", "default")
    configuration = f"{BASE}/namespaces/default/devices/kiosk-2/configuration"
    before = installation.http.get(configuration).content
    heartbeats = installation.sql("SELECT count() FROM heartbeats")
    assert installation.stop() == []
    installation.start()
    assert installation.http.get(configuration).content == before
    assert installation.sql("SELECT count() FROM heartbeats") == heartbeats
