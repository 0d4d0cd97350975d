"""What a simulated device says about itself: seeded heartbeats in the shapes that real devices send.

Most heartbeats say what the last one said, byte for byte. About one in twenty differs (a workload's status, the time of
an upload, the device's own status) and half of those bring events, some of them several equal ones. The first, and one
in a hundred after it, carries the full hardware, as after an agent's restart. Shapes: CONTRACT.md “Captured” and “Being
liberal in what we accept”; keys are in alphabetical order and the body ends in a newline, as the Edge API sends it.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson

from cli.simulate.hardware import full_hardware, passing_hardware

CHANGE_ONE_IN = 20
RESTART_ONE_IN = 100

NEVER = "0001-01-01T00:00:00.000Z"
"""Go's zero time: this workload has uploaded nothing yet."""

EPOCH_NEVER = "1970-01-01T00:00:00.000Z"
"""How some agents spell the same."""

_GENERATIONS = ("current", "current", "older", "oldest")
"""Agents of several ages are in every fleet: current ones repeat some hardware, the oldest send null for nothing."""

_SPELLINGS = (
    ("Running", "running", "Running", "running"),
    ("Created", "deploying", "Created", "deploying"),
    ("Exited", "stopped", "exited", "stopped"),
    ("crashed", "crashed", "Crashed", "crashed"),
)
"""One row a state; a device always spells as its agent's generation and runtime do."""

_RUNNING_CHANCE = 0.75
_OFFSETS = (UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-5, minutes=-30)))
_INVENTED = ("nginx", "collector", "camera", "gateway", "inference")


class HeartbeatContent:
    """One device's heartbeats, in order. A function of seed, index, what it was told to run, and the times given."""

    __slots__ = ("_beats", "_body", "_index", "_seed", "_status", "_told", "_workloads")

    def __init__(self, seed: int, index: int) -> None:
        self._seed = seed
        self._index = index
        self._beats = 0
        self._body = b""
        self._status = "up"
        self._told: tuple[str, tuple[str, ...]] | None = None
        self._workloads: dict[str, tuple[int, str]] = {}

    def next(self, version: str, workloads: Sequence[str], now_ms: int) -> bytes:
        """The body of the next heartbeat, for the configuration version and workloads the device was given.

        A device that was given none reports some that it made up, so that a fleet without workloads looks real too.
        """
        told = (version, tuple(workloads))
        random_ = random.Random(self._seed << 56 ^ self._index << 28 ^ self._beats)  # noqa: S311 - no secret
        is_first = self._beats == 0
        self._beats += 1
        is_changed = told != self._told
        if is_changed:
            self._told = told
            self._take_over(workloads or self._invented(), random_)
        events: list[dict[str, str]] = []
        if not is_first and random_.randrange(CHANGE_ONE_IN) == 0:
            is_changed = True
            events = self._change(random_, now_ms)
        if is_first or random_.randrange(RESTART_ONE_IN) == 0:
            return self._encode(events, full_hardware(self._seed, self._index))
        if events:
            return self._encode(events, None)
        if is_changed or not self._body:
            self._body = self._encode([], None)
        return self._body

    def _take_over(self, names: Sequence[str], random_: random.Random) -> None:
        """Report these workloads from now on: those it had as they were, new ones being deployed or running."""
        self._body = b""
        self._workloads = {
            name: self._workloads.get(name) or (0 if random_.random() < _RUNNING_CHANCE else 1, self._never)
            for name in names
        }

    def _change(self, random_: random.Random, now_ms: int) -> list[dict[str, str]]:
        """Something happens to one workload or to the device itself; the events it brings, often none."""
        self._body = b""
        names = list(self._workloads)
        if not names:
            self._status = "degraded" if self._status == "up" else "up"
            return []
        name = random_.choice(names)
        state, uploaded = self._workloads[name]
        if state == 0 and random_.random() < 0.5:  # noqa: PLR2004 - a running workload uploads as often as it fails
            self._workloads[name] = (state, _as_agents_write(now_ms, _OFFSETS[self._index % len(_OFFSETS)]))
            return []
        became = random_.choice([other for other in range(len(_SPELLINGS)) if other != state])
        self._workloads[name] = (became, uploaded)
        if random_.random() < 0.5:  # noqa: PLR2004 - half of the changes bring no event
            return []
        return _events(name, became, random_)

    def _encode(self, events: list[dict[str, str]], hardware: dict[str, Any] | None) -> bytes:
        generation = _GENERATIONS[self._index % len(_GENERATIONS)]
        spellings = [row[self._index // len(_GENERATIONS) % len(row)] for row in _SPELLINGS]
        workloads = [
            {"last_data_upload": uploaded, "name": name, "status": spellings[state]}
            for name, (state, uploaded) in self._workloads.items()
        ]
        body: dict[str, Any] = {"events": events if events or generation != "oldest" else None}
        if hardware is None and generation == "current":
            hardware = passing_hardware(full_hardware(self._seed, self._index))
        if hardware is not None:
            body["hardware"] = hardware
        body["playbook-executions"] = None
        body["status"] = self._status
        if generation == "current":
            body["upgrade"] = {"current_commit_ID": "unknown"}
        body["version"] = self._told[0] if self._told else ""
        body["workloads"] = workloads if workloads or generation == "current" else None
        return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)

    def _invented(self) -> list[str]:
        random_ = random.Random(f"workloads/{self._seed}/{self._index}")  # noqa: S311 - no secret
        return [f"{name}-sample{self._index % 3}" for name in random_.sample(_INVENTED, random_.randint(0, 4))]

    @property
    def _never(self) -> str:
        return EPOCH_NEVER if self._index % 10 == 0 else NEVER


def _as_agents_write(now_ms: int, zone: timezone) -> str:
    """A time as the Edge API writes it: cut to milliseconds, with the device's offset."""
    moment = datetime.fromtimestamp(now_ms / 1000, zone)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _events(workload: str, state: int, random_: random.Random) -> list[dict[str, str]]:
    """What podman has to say about it; a failing start is reported once for each container, in the same words."""
    if state < 2:  # noqa: PLR2004 - running or deploying
        return [{"message": f"workload {workload} has been started", "reason": "Started", "type": "info"}]
    first, second = (f"{random_.getrandbits(256):064x}" for _ in range(2))
    message = (
        f"error starting container {first}: cannot listen on the TCP port: listen tcp4 :{random_.randint(1024, 65535)}"
        f": bind: address already in use,error starting container {second}: a dependency of container {second} failed "
        "to start: container state improper"
    )
    return [{"message": message, "reason": "Failed", "type": "warn"}] * random_.randint(1, 5)
