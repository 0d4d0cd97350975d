"""Heartbeats of a small fleet that does everything at once, from a seed: changes, repeats, events, nulls, hardware."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from fleet.heartbeats.entries import HeartbeatEntry
from fleet.heartbeats.heartbeat import content_hash, read_heartbeat
from tests.streams.heartbeats.heartbeat_ledger import Taken

UPLOADS = ["0001-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z", "2022-03-04T05:06:07.123+02:00", None]
STRANGER = "stranger"
"""A device that is not registered, and whose heartbeats the API has not checked."""


def seeded(seed: int) -> Random:
    """Chance that can be had again."""
    return Random(seed)  # noqa: S311 - not secret


def taken(entries: Sequence[HeartbeatEntry], partition: int, offset: int, received_at_ms: int) -> list[Taken]:
    """The entries of one record as the ledger counts them."""
    return [
        Taken(
            each.namespace,
            each.device_id,
            each.body,
            each.wanted_version,
            each.device_id != STRANGER,
            each.kind,
            partition,
            offset,
            index,
            received_at_ms,
        )
        for index, each in enumerate(entries)
    ]


class Scenario:
    """A fleet whose devices mostly say what they said."""

    def __init__(self, seed: int, devices: int = 8) -> None:
        self._random = seeded(seed)
        self._devices = [("north" if number % 2 else "south", f"device-{number}") for number in range(devices)]
        self._bodies: dict[tuple[str, str], bytes] = {}

    def beat(self) -> list[HeartbeatEntry]:
        """Entries of one round: each device once, some again at once, some not at all, a stranger, a registration."""
        entries = []
        for key in self._devices:
            chance = self._random.random()
            if chance < 0.1:
                continue
            if chance > 0.5 or key not in self._bodies:
                self._bodies[key] = self._body()
            entry = self._entry(key, self._bodies[key])
            entries += [entry] * self._random.choice([1, 1, 1, 2])
        if self._random.random() < 0.5:
            entries.append(self._entry(("north", STRANGER), self._body(), is_checked=False))
        if self._random.random() < 0.5:
            hardware = json.dumps({"hardware": self._hardware()}).encode()
            entries.append(self._entry(self._random.choice(self._devices), hardware, kind="hardware"))
        self._random.shuffle(entries)
        return entries

    def _entry(self, key: tuple[str, str], body: bytes, **options: Any) -> HeartbeatEntry:
        options.setdefault("is_checked", True)
        wanted = self._random.choice([None, None, "1", "2"])
        return HeartbeatEntry(
            *key, content_hash=content_hash(body, read_heartbeat(body)), wanted_version=wanted, body=body, **options
        )

    def _body(self) -> bytes:
        choice = self._random.choice
        body: dict[str, Any] = {
            "status": choice(["up", "up", "degraded", "Running", None]),
            "version": choice(["1", "2"]),
            "workloads": choice([None, [], self._workloads(), self._workloads(), self._workloads()]),
            "events": choice([None, [], self._events()]),
            "playbook-executions": None,
            "hardware": choice([None, self._hardware(), {"hostname": None, "disks": None, "interfaces": None}]),
            "upgrade": choice([None, {"current_commit_ID": choice(["c1", "c2"])}]),
            "unknown": {"field": [1, None]},
        }
        return json.dumps({name: value for name, value in body.items() if choice([True, True, value])}).encode()

    def _workloads(self) -> list[dict[str, Any] | None]:
        names = self._random.sample(["web", "db", "cache", "log"], self._random.randint(1, 3))
        return [
            None,
            *(
                {
                    "name": name,
                    "status": self._random.choice(["Running", "Created", "Exited", "running", None]),
                    "last_data_upload": self._random.choice(UPLOADS),
                }
                for name in names
            ),
        ]

    def _events(self) -> list[dict[str, Any] | None]:
        event = {"type": "warn", "reason": "Failed", "message": self._random.choice(["port in use", "no space"])}
        return self._random.choice(
            [[event, event], [None, event, {}], [event, event, {"type": "info", "reason": "Ok"}]]
        )

    def _hardware(self) -> dict[str, Any]:
        parts: dict[str, Any] = {
            "hostname": self._random.choice(["h1", "h2"]),
            "cpu": self._random.choice(
                [{"count": self._random.randint(1, 4)}, {"architecture": "x86_64", "count": None}]
            ),
            "system_vendor": {"serial_number": self._random.choice(["S1", "S2"])},
            "interfaces": self._random.choice([[], [{"name": "eth0"}], None]),
            "disks": None,
        }
        return {name: value for name, value in parts.items() if self._random.random() < 0.7}
