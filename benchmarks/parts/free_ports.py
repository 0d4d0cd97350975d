"""Ports nobody listens on, so that a benchmark runs beside a running Muster."""

import random
import socket

_FIRST, _LAST = 20_000, 32_000  # below the kernel's ephemeral range, from which outgoing connections take theirs
_TRIES = 500


def free_ports(count: int, consecutive: int = 1) -> list[int]:
    """`count` ports, each followed by `consecutive - 1` free ones. Raises OSError when there are none."""
    found: list[int] = []
    taken: set[int] = set()
    for _ in range(_TRIES):
        candidate = random.randrange(_FIRST, _LAST)  # noqa: S311 - no secret; two runs side by side must differ
        wanted = range(candidate, candidate + consecutive)
        if taken.isdisjoint(wanted) and all(_is_free(port) for port in wanted):
            taken.update(wanted)
            found.append(candidate)
        if len(found) == count:
            return found
    raise OSError("no free port on this machine")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
