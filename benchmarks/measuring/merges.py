"""Waits until the engine has merged what it has."""

import time
from typing import Final

from clickhouse_connect.driver import Client

_LOOK_EVERY_S: Final = 0.5
_LOOKS: Final = 3
"""Without a merge, one after the other, since merges follow merges."""


def wait_for_merges(client: Client, within_s: float) -> float:
    """Until nothing is merged any more, or the time is over. The seconds it took."""
    began_s, quiet = time.monotonic(), 0
    while quiet < _LOOKS and time.monotonic() < began_s + within_s:
        time.sleep(_LOOK_EVERY_S)
        quiet = 0 if client.query("SELECT count() FROM system.merges").result_rows[0][0] else quiet + 1
    return time.monotonic() - began_s
