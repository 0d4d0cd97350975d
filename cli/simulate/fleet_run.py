"""All devices of a fleet at once: started over one period, ended after the duration or when asked."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGINT, SIGTERM

from cli.simulate.approver import Approver
from cli.simulate.calls import Calls, open_session
from cli.simulate.device import Device
from cli.simulate.measurements import Durations, Measurements
from cli.simulate.plan import FleetPlan
from cli.simulate.positions import AcknowledgedPositions
from cli.simulate.progress import Progress

_ALREADY_THERE = 409
PROGRESS_EVERY_S = 1.0


class FleetRun:
    """One run. Bounded by the plan: a task a device, calls.CONNECTION_LIMIT connections, positions.POSITION_LIMIT."""

    def __init__(self, plan: FleetPlan) -> None:
        self.plan = plan
        self.measurements = Measurements()
        self.acknowledged = AcknowledgedPositions()
        self.approver: Approver | None = None
        self.joined = 0

    @property
    def lateness(self) -> Durations:
        """How late the simulator itself was; a part of the measurements."""
        return self.measurements.lateness

    async def play(self, progress: Progress) -> None:
        """Play until the duration is over or Ctrl-C, then let calls in flight end."""
        plane, operator = self.plan.devices_at, self.plan.operator
        async with open_session(plane.tls) as session, open_session(operator.tls) as operators:
            self.calls = Calls(session, plane.address, self.measurements)
            if self.plan.is_approving:
                self.approver = Approver(operators, self.plan, self.measurements)
                await self.approver.make_namespace()
            devices = [Device(self, index) for index in range(self.plan.devices)]
            is_over = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                lives = [tasks.create_task(device.live()) for device in devices]
                with _set_by_signals(is_over):
                    await self._watch(is_over, progress)
                for device, life in zip(devices, lives, strict=True):
                    if device.stop():
                        life.cancel()

    async def _watch(self, is_over: asyncio.Event, progress: Progress) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not is_over.is_set():
            elapsed_s = loop.time() - began
            progress.show(elapsed_s, self.joined, self.measurements, self.acknowledged.kept)
            left_s = PROGRESS_EVERY_S
            if self.plan.duration_s is not None:
                left_s = min(left_s, self.plan.duration_s - elapsed_s)
                if left_s <= 0:
                    return
            try:
                await asyncio.wait_for(is_over.wait(), left_s)
            except TimeoutError:
                continue


@contextmanager
def _set_by_signals(event: asyncio.Event) -> Iterator[None]:
    """The first Ctrl-C ends the run; the ledger is still read. A second one ends the program."""
    loop = asyncio.get_running_loop()
    for signal in (SIGINT, SIGTERM):
        loop.add_signal_handler(signal, event.set)
    try:
        yield
    finally:
        for signal in (SIGINT, SIGTERM):
            loop.remove_signal_handler(signal)
