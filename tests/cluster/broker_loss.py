"""Devices that beat without pause and an operator who changes things, while brokers die; and what of it is stored.

A call that is not answered at all ends its thread with an error, which fails the test.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from itertools import pairwise
from typing import NamedTuple

import httpx
from confluent_kafka import TopicCollection

from streams.topic_ids import admin_client
from tests.api.fleet import Operator
from tests.api.go_client import GoClient, path_of
from tests.test_roll_call import Installation

_PAUSE_S = 0.02

Place = tuple[int, int, int, int]
"""Epoch, partition, offset and index, as `Muster-Position` gives them."""


class Load:
    """What was asked and what was answered so far; read by the test while it grows."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.statuses: list[int] = []
        self.longest_answer_s = 0.0
        self.created: list[str] = []
        self.acknowledged_s: list[float] = []
        self.is_over = threading.Event()

    @property
    def acknowledged(self) -> int:
        """Heartbeats answered 200."""
        return len(self.places)


def summary(load: Load) -> str:
    """What a person wants to know of a fault: how many, and for how long nothing was acknowledged."""
    times = sorted(load.acknowledged_s)
    longest_s = max(later - earlier for earlier, later in pairwise(times))
    refused = sum(status != HTTPStatus.OK for status in load.statuses)
    return (
        f"{load.acknowledged} heartbeats acknowledged, {refused} refused in at most {load.longest_answer_s:.2f} s each,"
        f" none acknowledged for {longest_s:.1f} s; {len(load.created)} changes accepted; all of them stored once"
    )


class Counted(NamedTuple):
    """Of what was acknowledged: what the views show."""

    missing: set[Place]
    twice: int


@contextmanager
def load(installation: Installation, devices: Sequence[str]) -> Iterator[Load]:
    """Each device on a connection of its own, and the operator; until the block ends."""
    load = Load()
    threads = [threading.Thread(target=_beat, args=(load, installation.port, device)) for device in devices]
    threads.append(threading.Thread(target=_create, args=(load, installation.url)))
    with ExitStack() as stack:
        for thread in threads:
            thread.start()
            stack.callback(thread.join, 30)
        stack.callback(load.is_over.set)
        yield load


def _beat(load: Load, port: int, device: str) -> None:
    number = 0
    with GoClient(port) as edge:
        while not load.is_over.is_set():
            number += 1
            content = {"status": "up" if number % 3 else "degraded", "version": "", "workloads": [], "events": []}
            started_s = time.monotonic()
            answer = edge.call("PUT", path_of(device, "heartbeat", "default"), content)
            load.longest_answer_s = max(load.longest_answer_s, time.monotonic() - started_s)
            load.statuses.append(answer.status)
            if answer.status == HTTPStatus.OK:
                epoch, partition, offset, index = map(int, (answer.header("muster-position") or "").split("-"))
                load.places.append((epoch, partition, offset, index))
                load.acknowledged_s.append(time.monotonic())
            time.sleep(_PAUSE_S)


def _create(load: Load, url: str) -> None:
    number = 0
    with Operator(url) as operator:
        while not load.is_over.is_set():
            number += 1
            name = f"shop-{threading.get_native_id()}-{number}"
            answer = operator.http.post("/api/v1/namespaces", json={"metadata": {"name": name}})
            if answer.status_code == httpx.codes.CREATED:
                load.created.append(name)
            time.sleep(_PAUSE_S)


def count(installation: Installation, load: Load) -> Counted:
    """Look for every acknowledged heartbeat by its place."""
    stored = installation.sql("SELECT epoch, partition, offset, batch_index FROM heartbeats")
    return Counted(set(load.places) - {tuple(map(int, row)) for row in stored}, len(stored) - len(set(stored)))


def leader(bootstrap: str, topic: str) -> int:
    """The number of the broker that leads the topic's first partition."""
    admin = admin_client(bootstrap)  # its answers end with it
    described = admin.describe_topics(TopicCollection([topic]))
    return int(described[topic].result(10).partitions[0].leader.id)


def in_sync(bootstrap: str, topics: Sequence[str]) -> int:
    """The fewest replicas in sync that any partition of the topics has."""
    admin = admin_client(bootstrap)
    described = admin.describe_topics(TopicCollection(list(topics)))
    return min(len(partition.isr) for each in described.values() for partition in each.result(10).partitions)
