"""Ports nobody listens on, for those who start a Muster of their own beside another one: tests and benchmarks."""

import socket

_FIRST, _LAST = 20_000, 32_000  # below the kernel's ephemeral range, from which outgoing connections take theirs
_handed_out: set[int] = set()


def free_ports(count: int, consecutive: int = 1) -> list[int]:
    """`count` ports, each followed by `consecutive - 1` free ones. Never the same twice in a process."""
    found: list[int] = []
    # Two runs side by side start at different places.
    start = _FIRST + _ephemeral_port() % (_LAST - _FIRST)
    candidates = (_FIRST + (start - _FIRST + step) % (_LAST - _FIRST) for step in range(_LAST - _FIRST))
    for candidate in candidates:
        wanted = range(candidate, candidate + consecutive)
        if _handed_out.isdisjoint(wanted) and all(_is_free(port) for port in wanted):
            _handed_out.update(wanted)
            found.append(candidate)
        if len(found) == count:
            return found
    raise OSError("no free port on this machine")


def free_port() -> int:
    """One port nobody listens on."""
    return free_ports(1)[0]


def _ephemeral_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
