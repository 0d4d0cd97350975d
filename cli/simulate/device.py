"""How one simulated device behaves: it joins, and then polls and beats on its agent's clock, one call after the other.

Source: CONTRACT.md “How often”, “Who may register” and the table of states.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

import orjson

from cli.simulate.approver import Approver
from cli.simulate.calls import Answer, Calls
from cli.simulate.certificate_request import certificate_request
from cli.simulate.hardware import full_hardware
from cli.simulate.heartbeat_content import HeartbeatContent
from cli.simulate.measurements import Durations
from cli.simulate.plan import FleetPlan
from cli.simulate.positions import AcknowledgedPositions

_OK = 200
_CREATED = 201


class Fleet(Protocol):
    """What all devices of a fleet share."""

    plan: FleetPlan
    calls: Calls
    approver: Approver | None
    acknowledged: AcknowledgedPositions
    joined: int

    @property
    def lateness(self) -> Durations:
        """How late the simulator's own calls began."""


class _Duty(NamedTuple):
    """Something a device does again and again; `due` is a time of the monotonic clock. Gives whether it may go on."""

    interval_s: float
    due: float
    call: Callable[[], Awaitable[bool]]

    def again(self, now: float) -> "_Duty":
        """The next time. As the agent's ticker does: a tick missed altogether is dropped, not made up for."""
        missed = max(0, int((now - self.due) // self.interval_s))
        return self._replace(due=self.due + (1 + missed) * self.interval_s)


class Device:
    """One device. `live` runs until it is cancelled, which is only fair while `is_resting`: else an answer is lost."""

    __slots__ = (
        "_configuration_hash",
        "_content",
        "_fleet",
        "_index",
        "_is_asked_to_stop",
        "_namespace",
        "_version",
        "_workloads",
        "device_id",
        "is_resting",
    )

    def __init__(self, fleet: Fleet, index: int) -> None:
        self._fleet = fleet
        self._index = index
        self.device_id = fleet.plan.device_id(index)
        self.is_resting = False
        self._is_asked_to_stop = False
        self._namespace = fleet.plan.namespace
        self._content = HeartbeatContent(fleet.plan.seed, index)
        self._version = ""
        self._workloads: tuple[str, ...] = ()
        self._configuration_hash: int | None = None

    def stop(self) -> bool:
        """Ask to end after the call in flight, if any. Returns whether the task may be cancelled at once."""
        self._is_asked_to_stop = True
        return self.is_resting

    async def live(self) -> None:
        """Start when the plan says, join, and run; join again whenever the server says the device is unregistered."""
        await self._rest_until(time.monotonic() + self._fleet.plan.starts_after_s(self._index))
        while not self._is_asked_to_stop:
            if await self._join():
                self._fleet.joined += 1
                await self._run()
                self._fleet.joined -= 1
            await self._rest_until(time.monotonic() + self._fleet.plan.enrol_s)

    async def _join(self) -> bool:
        """One round of enrolling, asking where to go, and registering; whether all three were granted."""
        plan, calls = self._fleet.plan, self._fleet.calls
        hardware = full_hardware(plan.seed, self._index)
        enrolment: dict[str, object] = {"features": {"hardware": hardware}}
        if plan.namespace != plan.initial_namespace:
            enrolment["target_namespace"] = plan.namespace
        answer = await calls.enrol(plan.namespace, self.device_id, enrolment)
        if answer.status == _CREATED and self._fleet.approver:
            await self._fleet.approver.approve(self.device_id)
        if answer.status != _OK:
            return False
        namespace = _namespace_granted(await calls.registration(plan.initial_namespace, self.device_id))
        if not namespace:
            return False
        self._namespace = namespace
        content = {"certificate_request": certificate_request(self.device_id), "hardware": hardware}
        registered = await calls.register(namespace, self.device_id, content)
        return registered.status == _OK

    async def _run(self) -> None:
        """Poll and beat until asked to stop or unregistered."""
        plan = self._fleet.plan
        now = time.monotonic()
        # The polls begin at once, playbooks and heartbeats one period after the start.
        duties = [
            _Duty(plan.poll_s, now, self._poll_registration),
            _Duty(plan.poll_s, now, self._poll_configuration),
            _Duty(plan.period_s, now + plan.period_s, self._ask_for_playbooks),
            _Duty(plan.period_s, now + plan.period_s, self._beat),
        ]
        is_registered = True
        while is_registered:
            place = min(range(len(duties)), key=lambda place: duties[place].due)
            duty = duties[place]
            await self._rest_until(duty.due)
            if self._is_asked_to_stop:
                return
            self._fleet.lateness.add(time.monotonic() - duty.due)
            is_registered = await duty.call()
            duties[place] = duty.again(time.monotonic())

    async def _poll_registration(self) -> bool:
        answer = await self._fleet.calls.registration(self._namespace, self.device_id)
        return not _is_unregistered(answer)

    async def _poll_configuration(self) -> bool:
        answer = await self._fleet.calls.configuration(self._namespace, self.device_id)
        if answer.status == _OK and (hash_ := hash(answer.body)) != self._configuration_hash:
            self._configuration_hash = hash_
            self._version, self._workloads = _told_to_run(answer.body)
        return True

    async def _ask_for_playbooks(self) -> bool:
        await self._fleet.calls.playbook_executions(self._namespace, self.device_id)
        return True

    async def _beat(self) -> bool:
        body = self._content.next(self._version, self._workloads, time.time_ns() // 1_000_000)
        answer = await self._fleet.calls.beat(self._namespace, self.device_id, body)
        if answer.status == _OK:
            self._fleet.acknowledged.add(answer.position, self._index)
        return True

    async def _rest_until(self, due: float) -> None:
        """Sleep until a time of the monotonic clock."""
        rest_s = due - time.monotonic()
        if rest_s <= 0:
            return
        self.is_resting = True
        await asyncio.sleep(rest_s)
        self.is_resting = False


def _namespace_granted(answer: Answer) -> str:
    """Where the device was placed, or nothing when it may not register."""
    if answer.status != _OK:
        return ""
    try:
        granted = orjson.loads(answer.body)
        return str(granted["namespace"]) if granted["status"] == "registered" else ""
    except (ValueError, KeyError, TypeError):
        return ""


def _is_unregistered(answer: Answer) -> bool:
    """Whether the server sends the device away."""
    return answer.status == _OK and b'"unregistered"' in answer.body


def _told_to_run(body: bytes) -> tuple[str, tuple[str, ...]]:
    """Version and workload names of a configuration; nothing of one that cannot be read."""
    try:
        configuration = orjson.loads(body)["device-configuration"]
        names = tuple(str(workload["name"]) for workload in configuration["workloads"] or ())
        return str(configuration["version"]), names
    except (ValueError, KeyError, TypeError):
        return "", ()
