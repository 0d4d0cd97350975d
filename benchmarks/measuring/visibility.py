"""Probes from outside: when a heartbeat can be read by SQL, and when each API process serves a change."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from benchmarks.errors import BenchmarkError
from benchmarks.fleet_content import NAMESPACE, SETS, device_id
from benchmarks.load.request_heads import BASE_PATH
from benchmarks.parts.installation import Installation
from cli.resources.resource_paths import resource_path
from fleet.position import Position
from fleet.resources import KINDS

_LOOK_EVERY_S: Final = 0.05
"""Between looks whether a heartbeat is visible: more often would take what is to be measured."""

_POLL_EVERY_S: Final = 0.004
_GIVE_UP_S: Final = 30.0
_CONNECTIONS_TRIED: Final = 200
_OK: Final = 200
_VISIBLE: Final = """
    SELECT count() FROM heartbeats
    WHERE namespace = {namespace:String} AND device_id = {device:String} AND partition = {partition:UInt16}
        AND offset = {offset:UInt64} AND batch_index = {index:UInt16}
        AND received_at > now() - INTERVAL 2 MINUTE
"""


def seconds_until_visible(installation: Installation, device: str) -> float | None:
    """Send one heartbeat, and look until SQL shows it; None when it was refused or did not come."""
    connection = http.client.HTTPConnection("127.0.0.1", installation.settings.http.port, timeout=5)
    try:
        body = json.dumps({"status": "up", "version": str(time.time()), "workloads": [], "events": []})
        connection.request("PUT", f"{BASE_PATH}/namespaces/{NAMESPACE}/devices/{device}/heartbeat", body)
        answer = connection.getresponse()
        answer.read()
        acknowledged_s = time.monotonic()
        if answer.status != _OK:
            return None
        position = Position.parse(answer.getheader("Muster-Position") or "")
    finally:
        connection.close()
    where = {"partition": position.partition, "offset": position.offset, "index": position.batch_index}
    while not installation.query(_VISIBLE, namespace=NAMESPACE, device=device, **where)[0][0]:
        if time.monotonic() - acknowledged_s > _GIVE_UP_S:
            return None
        time.sleep(_LOOK_EVERY_S)
    return time.monotonic() - acknowledged_s


class _Served(NamedTuple):
    """When a process first served a period, Unix time in seconds."""

    first_s: dict[int, float]


class ChangeProbe:
    """Changes a set that a third of the fleet is in, and watches each API process until it serves the change."""

    def __init__(self, installation: Installation, devices: int) -> None:
        self._installation = installation
        self._device = self._member(devices)
        self._served: dict[int, _Served] = {}
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._period_s = 100

    def seconds_until_served(self) -> list[float]:
        """One change: for each API process, the time from its being stored to its being served. Empty when lost."""
        self._period_s += 1
        period_s = self._period_s
        revision = self._change(period_s)
        rows = self._installation.query(
            "SELECT toUnixTimestamp64Milli(min(stored_at)) FROM decisions WHERE revision = {revision:UInt64}",
            revision=revision,
        )
        stored_s = int(str(rows[0][0])) / 1000
        gives_up_s = time.monotonic() + _GIVE_UP_S
        while not all(period_s in served.first_s for served in self._served.values()):
            if time.monotonic() > gives_up_s:
                return []
            time.sleep(_LOOK_EVERY_S)
        return [max(0.0, served.first_s[period_s] - stored_s) for served in self._served.values()]

    def _change(self, period_s: int) -> int:
        path = resource_path(KINDS["EdgeDeviceSet"], NAMESPACE, SETS[0])
        patch = json.dumps({"spec": {"heartbeat": {"periodSeconds": period_s}}})
        connection = self._connect()
        connection.request("PATCH", path, patch, {"Content-Type": "application/merge-patch+json"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != _OK:
            raise BenchmarkError(f"a set could not be changed: {answer.status} {body[:500]!r}")
        return int(json.loads(body)["metadata"]["resourceVersion"])

    def _member(self, devices: int) -> str:
        """A device of the set."""
        connection = self._connect()
        for index in range(min(devices, 100)):
            path = f"/apis/management.project-flotta.io/v1alpha1/namespaces/{NAMESPACE}/edgedevices/{device_id(index)}"
            connection.request("GET", path)
            body = json.loads(connection.getresponse().read())
            if body["metadata"]["labels"].get("flotta/member-of") == SETS[0]:
                connection.close()
                return device_id(index)
        raise BenchmarkError(f"no device is a member of {SETS[0]}")

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._installation.settings.http.port, timeout=10)

    def _connections(self) -> dict[int, http.client.HTTPConnection]:
        """A connection to each API process: the kernel chooses who gets one, so try until all are met."""
        found: dict[int, http.client.HTTPConnection] = {}
        for _ in range(_CONNECTIONS_TRIED):
            connection = self._connect()
            connection.request("GET", "/health/ready")
            process = int(json.loads(connection.getresponse().read())["process"])
            if process in found:
                connection.close()
            else:
                found[process] = connection
            if len(found) == self._installation.settings.http.processes:
                return found
        raise BenchmarkError("not every API process could be met")

    def _poll(self, connection: http.client.HTTPConnection, served: _Served) -> None:
        path = f"{BASE_PATH}/namespaces/{NAMESPACE}/devices/{self._device}/configuration"
        while not self._ended.wait(_POLL_EVERY_S):
            connection.request("GET", path)
            body = json.loads(connection.getresponse().read())
            period_s = body["device-configuration"]["configuration"]["heartbeat"]["period_seconds"]
            served.first_s.setdefault(period_s, time.time())

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Poll every process meanwhile."""
        connections = self._connections()
        self._served = {process: _Served({}) for process in connections}
        self._threads = [
            threading.Thread(target=self._poll, args=(connection, self._served[process]), name=f"poll-{process}")
            for process, connection in connections.items()
        ]
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in self._threads:
                thread.join()
            for connection in connections.values():
                connection.close()
