"""The highest rate of heartbeats that one machine holds: all of it is accepted, and storing keeps up with it."""

from typing import Final, NamedTuple

from benchmarks.benchmark import Say
from benchmarks.heartbeat_run import Beats, Run

_TRIES: Final = 8
_START_SHARE: Final = 0.97
"""Of what the closed loop accepted: the first rate that is tried. What it had stored at its end tells too little."""

_STEP_SHARE: Final = 0.95
"""A rate that was not held in a short run is lowered to this, one that was is raised by as much.

In a closed loop everyone waits for the same acknowledgements and then comes at once, so that the parts take turns;
calls that come evenly let them work side by side, and more of them may be held.
"""

ACCEPTED_SHARE: Final = 0.99
"""Of a rate that is held: an open loop ends with some calls that are not answered yet."""

_BEHIND_LIMIT_S: Final = 5.0
_FELL_LIMIT_S: Final = 1.0
"""By which storing may fall further behind over the second half of a run; it swings by half a second anyway."""


class HeldRate(NamedTuple):
    """Heartbeats a second, the closed loop that the search began with and the open ones that followed.

    `too_much` tells of those that did not hold theirs. When none did, the rate is a step below the lowest tried; when
    all did, it is the highest tried.
    """

    per_s: float
    closed: Run
    tries: tuple[Run, ...]
    too_much: tuple[str, ...]


def highest_held(beats: Beats, seconds: float, say: Say, *, rate: float = 0) -> HeldRate:
    """Try rates for so many seconds each, from what a closed loop accepts, down to one held or up from it.

    None is tried when one is given.
    """
    closed = beats.run(seconds, keeps_positions=False)
    say(f"closed loop: {closed.outcome.accepted_per_s:,.0f}/s accepted, {closed.stored_per_s:,.0f}/s stored")
    if rate:
        return HeldRate(rate, closed, (), ())
    rate = closed.outcome.accepted_per_s * _START_SHARE
    held = 0.0
    tries: list[Run] = []
    too_much: list[str] = []
    while len(tries) < _TRIES and not (held and too_much):
        tries.append(beats.run(seconds, rate=rate, keeps_positions=False))
        told = told_held(tries[-1])
        say(f"tried {rate:,.0f}/s: {told}")
        if is_accepted(tries[-1], rate) and keeps_up(tries[-1]):
            held = rate
            rate /= _STEP_SHARE
        else:
            too_much.append(f"{rate:,.0f}/s was too much: {told}")
            rate *= _STEP_SHARE
    return HeldRate(held or rate, closed, tuple(tries), tuple(too_much))


def is_accepted(run: Run, rate: float) -> bool:
    """Whether what was asked for was accepted."""
    return run.outcome.accepted_per_s >= rate * ACCEPTED_SHARE


def keeps_up(run: Run) -> bool:
    """Whether storing followed: never far behind, and not further and further."""
    return run.watch.worst_behind_s() <= _BEHIND_LIMIT_S and run.watch.fell_behind_s() <= _FELL_LIMIT_S


def told_held(run: Run) -> str:
    """How a run went, in a line."""
    return (
        f"{run.outcome.accepted_per_s:,.0f}/s accepted, p99 {run.outcome.latency_ms['p99']:.0f} ms,"
        f" at worst {run.watch.worst_behind_s():.1f} s behind and {run.watch.fell_behind_s():+.2f} s; {run.verdict}"
    )
