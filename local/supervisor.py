"""Starts children in stages, watches them, starts one that died again and says so, stops all in reverse order.

Everything happens in the thread that calls, which must be the main thread: children are tied to it (`local.tether`), so
that none outlives it however it ends.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from local.child import REFUSED, Child, Program, at_once
from local.errors import LocalError
from local.restarts import GIVE_UP_WITHIN_S, recent, restart_delay_s

STOP_WITHIN_S: Final = 9.0
"""Below the 10 s a person is promised after Ctrl-C, with room for the last words."""

_POLL_S: Final = 0.1
_KILL_RESERVE_S: Final = 0.5
"""Kept for each stage still to stop, so that a slow one cannot take the time of all."""


class Supervisor:
    """The children of one `muster up`.

    `say` prints a line; `held` puts off the stop signal while a child is being started or all are being stopped.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        held: Callable[[], AbstractContextManager[None]] = nullcontext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._held = held
        self._clock = clock
        self._stages: list[list[_Watched]] = []

    def start(self, programs: Sequence[Program]) -> None:
        """Start a stage and wait until it is ready. Raises LocalError when one dies too often or is never ready."""
        stage = [_Watched(program) for program in programs]
        self._stages.append(stage)
        for watched in stage:
            self._start(watched)
        while not all(watched.is_ready for watched in stage):
            self.check()
            time.sleep(_POLL_S)

    def watch(self, each: Callable[[], None] = lambda: None) -> None:
        """Look after all children, for ever; `each` is called every round. Raises LocalError when it gives up."""
        while True:
            self.check()
            each()
            time.sleep(_POLL_S)

    def check(self) -> None:
        """One look at every child."""
        for stage in self._stages:
            for watched in stage:
                self._check(watched)

    def stop(self, within_s: float = STOP_WITHIN_S) -> None:
        """Stop all, the last stage first; what does not stop is killed. Never takes longer than `within_s`."""
        with self._held():
            deadline_s = self._clock() + within_s
            while self._stages:
                stage = self._stages.pop()
                children = [watched.child for watched in stage if watched.child is not None]
                longest_s = max((watched.program.stop_within_s for watched in stage), default=0.0)
                reserve_s = _KILL_RESERVE_S * (len(self._stages) + 1)
                self._stop_stage(children, min(self._clock() + longest_s, deadline_s - reserve_s))

    def _stop_stage(self, children: Sequence[Child], deadline_s: float) -> None:
        for child in children:
            child.ask_to_stop()
        for child in children:
            if not child.wait(deadline_s - self._clock()):
                self._say(f"{child.program.name} did not stop in time and is killed")
                child.kill()

    def _start(self, watched: "_Watched") -> None:
        with self._held():
            watched.child = Child(watched.program)
        watched.started_s = self._clock()
        watched.is_ready = False

    def _check(self, watched: "_Watched") -> None:
        now_s = self._clock()
        if watched.child is None:
            if now_s >= watched.restart_at_s:
                self._start(watched)
        elif watched.child.exit_status() is not None:
            if watched.child.exit_status() == REFUSED and not watched.was_ready:
                raise LocalError(f"{watched.program.name} was not started: {watched.child.last_words()}")
            self._bury(watched, watched.child.ending(), now_s)
        elif not watched.is_ready:
            self._probe(watched, watched.child, now_s)

    def _probe(self, watched: "_Watched", child: Child, now_s: float) -> None:
        program = watched.program
        again = " again" if watched.deaths_s else ""
        if program.is_ready is at_once:
            watched.is_ready = True
            self._say(f"{program.name} started{again}")
        elif program.is_ready():
            watched.is_ready = True
            watched.was_ready = True
            self._say(f"{program.name} is ready{again} after {self._clock() - watched.started_s:.1f} s")
        elif now_s - watched.started_s > program.ready_within_s:
            child.kill()
            silence = f"not ready within {program.ready_within_s:.0f} s"
            if not watched.was_ready:
                raise LocalError(f"{program.name} was {silence}; {_where_to_look(program)}")
            self._bury(watched, silence, now_s)

    def _bury(self, watched: "_Watched", ending: str, now_s: float) -> None:
        program = watched.program
        watched.child = None
        watched.deaths_s = [*recent(watched.deaths_s, now_s), now_s]
        deaths = len(watched.deaths_s)
        delay_s = restart_delay_s(deaths)
        if delay_s is None:
            often = f"{deaths} times within {GIVE_UP_WITHIN_S:.0f} s"
            raise LocalError(f"{program.name} died {often} ({ending}); {_where_to_look(program)}")
        self._say(f"{program.name} died ({ending}); starting it again in {delay_s:.1f} s")
        watched.restart_at_s = now_s + delay_s


def _where_to_look(program: Program) -> str:
    hint = f"; the settings nearest to it: {program.hint}" if program.hint else ""
    return f"its log is {program.log}{hint}"


class _Watched:
    """A program and what became of it. `child` is None between a death and the next start."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.child: Child | None = None
        self.is_ready = False
        self.was_ready = False
        self.started_s = 0.0
        self.restart_at_s = 0.0
        self.deaths_s: list[float] = []
