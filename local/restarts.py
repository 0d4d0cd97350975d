"""When a child that died is started again, and when that is given up."""

from collections.abc import Sequence
from typing import Final

GIVE_UP_DEATHS: Final = 5
"""One death may be chance and two bad luck; five in a minute will not mend by themselves."""

GIVE_UP_WITHIN_S: Final = 60.0
FIRST_DELAY_S: Final = 0.5
"""Doubled by every recent death, so that a child that cannot start does not keep the machine busy."""


def recent(deaths_s: Sequence[float], now_s: float) -> list[float]:
    """The deaths that still count."""
    return [death_s for death_s in deaths_s if now_s - death_s < GIVE_UP_WITHIN_S]


def restart_delay_s(recent_deaths: int) -> float | None:
    """How long to wait before the next start, or None to give up. `recent_deaths` includes the last one."""
    if recent_deaths >= GIVE_UP_DEATHS:
        return None
    return FIRST_DELAY_S * 2.0 ** (recent_deaths - 1)
