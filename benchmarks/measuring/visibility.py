"""Probes from outside: when a heartbeat can be read by SQL, and when each API process serves a change."""

import http.client
import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from benchmarks.errors import BenchmarkError
from benchmarks.fleet_content import NAMESPACE, device_id, workload
from benchmarks.load.request_heads import BASE_PATH
from benchmarks.parts.installation import Installation
from cli.resources.resource_paths import collection_path, resource_path
from fleet.position import Position
from fleet.resources import KINDS

_LOOK_EVERY_S: Final = 0.05
"""Between looks whether a heartbeat is visible, each some 20 ms of the engine: more would take what is measured."""

_POLL_EVERY_S: Final = 0.004
_GIVE_UP_S: Final = 30.0
_CONNECTIONS_TRIED: Final = 200
_OK: Final = 200
_DONE: Final = (200, 201)
_JSON: Final = "application/json"
_SHOWN: Final = re.compile(rb'"number":"(\d+)"')
_VISIBLE: Final = """
    SELECT count() FROM heartbeats
    WHERE namespace = {namespace:String} AND device_id = {device:String} AND partition = {partition:UInt16}
        AND offset = {offset:UInt64} AND batch_index = {index:UInt16}
        AND received_at > now() - INTERVAL 2 MINUTE
"""


class ProbedHeartbeat(NamedTuple):
    """What became of one more heartbeat: the `status` of its answer, and the seconds from there until SQL shows it.

    None for the seconds when it was refused, or acknowledged and not shown within 30 s.
    """

    status: int
    visible_s: float | None

    @property
    def is_accepted(self) -> bool:
        """Whether it was acknowledged."""
        return self.status == _OK


def probe_heartbeat(installation: Installation, device: str, first_look_s: float = 0.0) -> ProbedHeartbeat:
    """Send one heartbeat, and look until SQL shows it.

    There is no look in the first `first_look_s`, in which it is not expected.
    """
    connection = http.client.HTTPConnection("127.0.0.1", installation.settings.http.port, timeout=5)
    try:
        body = json.dumps({"status": "up", "version": str(time.time()), "workloads": [], "events": []})
        connection.request("PUT", f"{BASE_PATH}/namespaces/{NAMESPACE}/devices/{device}/heartbeat", body)
        answer = connection.getresponse()
        answer.read()
        acknowledged_s = time.monotonic()
        if answer.status != _OK:
            return ProbedHeartbeat(answer.status, None)
        position = Position.parse(answer.getheader("Muster-Position") or "")
    finally:
        connection.close()
    where = {"partition": position.partition, "offset": position.offset, "index": position.batch_index}
    time.sleep(first_look_s)
    while not installation.query(_VISIBLE, namespace=NAMESPACE, device=device, **where)[0][0]:
        if time.monotonic() - acknowledged_s > _GIVE_UP_S:
            return ProbedHeartbeat(answer.status, None)
        time.sleep(_LOOK_EVERY_S)
    return ProbedHeartbeat(answer.status, time.monotonic() - acknowledged_s)


_FIRST_NUMBER: Final = 101
"""Of a change: seconds of a period that no set of the fleet has."""


class ProbedChange(NamedTuple):
    """What is changed, and in whose configuration it shows: `patch` makes a number, `shown` finds it in an answer.

    None of the `numbers` is used twice, or it would seem served at once.
    """

    kind: str
    name: str
    device: str
    patch: Callable[[int], dict[str, Any]]
    shown: Callable[[bytes], int | None]
    numbers: Iterator[int]


def numbered_workload(name: str, device: str) -> ProbedChange:
    """Of a workload: an annotation, shown to a device that runs it."""
    return ProbedChange(
        "EdgeWorkload",
        name,
        device,
        lambda number: {"metadata": {"annotations": {"podman/number": str(number)}}},
        lambda body: int(shown[1]) if (shown := _SHOWN.search(body)) else None,
        itertools.count(_FIRST_NUMBER),
    )


def workload_of_a_shop(installation: Installation) -> ProbedChange:
    """Of a workload that is made now for the few devices of a shop, so that changing it is no load."""
    device = device_id(0)
    shop = _resource(installation, "EdgeDevice", device)["metadata"]["labels"]["shop"]
    body = workload("probe", {"matchLabels": {"shop": shop}})
    _call(installation, "POST", collection_path(KINDS["EdgeWorkload"], NAMESPACE), json.dumps(body))
    return numbered_workload("probe", device)


class ChangeProbe:
    """Changes something again and again, and watches each API process until it serves the change."""

    def __init__(self, installation: Installation, change: ProbedChange) -> None:
        self._installation = installation
        self._change = change
        self._first_served_s: dict[int, dict[int, float]] = {}  # Unix time by process and number
        self._ended = threading.Event()
        self._awaited = threading.Event()
        self._threads: list[threading.Thread] = []

    def seconds_until_served(self) -> list[float]:
        """One change: for each API process, the time from its being stored to its being served. Empty when lost."""
        number = next(self._change.numbers)
        self._awaited.set()
        try:
            return self._served(number)
        finally:
            self._awaited.clear()

    def _served(self, number: int) -> list[float]:
        revision = self._patch(number)
        rows = self._installation.query(
            "SELECT toUnixTimestamp64Milli(min(stored_at)) FROM decisions WHERE revision = {revision:UInt64}",
            revision=revision,
        )
        stored_s = int(str(rows[0][0])) / 1000
        gives_up_s = time.monotonic() + _GIVE_UP_S
        while not all(number in first_s for first_s in self._first_served_s.values()):
            if time.monotonic() > gives_up_s:
                return []
            time.sleep(_LOOK_EVERY_S)
        return [max(0.0, first_s[number] - stored_s) for first_s in self._first_served_s.values()]

    def _patch(self, number: int) -> int:
        """Make the change; its revision."""
        path = resource_path(KINDS[self._change.kind], NAMESPACE, self._change.name)
        patch = json.dumps(self._change.patch(number))
        changed = _call(self._installation, "PATCH", path, patch, "application/merge-patch+json")
        return int(changed["metadata"]["resourceVersion"])

    def _connections(self) -> dict[int, http.client.HTTPConnection]:
        """A connection to each API process: the kernel chooses who gets one, so try until all are met."""
        found: dict[int, http.client.HTTPConnection] = {}
        for _ in range(_CONNECTIONS_TRIED):
            connection = _connect(self._installation)
            connection.request("GET", "/health/ready")
            process = int(json.loads(connection.getresponse().read())["process"])
            if process in found:
                connection.close()
            else:
                found[process] = connection
            if len(found) == self._installation.settings.http.processes:
                return found
        raise BenchmarkError("not every API process could be met")

    def _poll(self, connection: http.client.HTTPConnection, first_s: dict[int, float]) -> None:
        path = f"{BASE_PATH}/namespaces/{NAMESPACE}/devices/{self._change.device}/configuration"
        while not self._ended.wait(_POLL_EVERY_S):
            if not self._awaited.wait(_LOOK_EVERY_S):
                continue
            connection.request("GET", path)
            number = self._change.shown(connection.getresponse().read())
            if number is not None:
                first_s.setdefault(number, time.time())

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Poll every process meanwhile, while a change is awaited."""
        connections = self._connections()
        self._first_served_s = {process: {} for process in connections}
        self._threads = [
            threading.Thread(
                target=self._poll, args=(connection, self._first_served_s[process]), name=f"poll-{process}"
            )
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


def _resource(installation: Installation, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = _call(installation, "GET", resource_path(KINDS[kind], NAMESPACE, name))
    return found


def _call(installation: Installation, method: str, path: str, body: str = "", content_type: str = _JSON) -> Any:
    """The answer of the management plane. Raises BenchmarkError."""
    connection = _connect(installation)
    connection.request(method, path, body, {"Content-Type": content_type})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status not in _DONE:
        raise BenchmarkError(f"{method} {path}: {answer.status} {text[:500]!r}")
    return json.loads(text)


def _connect(installation: Installation) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", installation.settings.http.port, timeout=10)
