"""Whether children that speak HTTP are ready."""

import http.client
import json
import os
import ssl
from typing import Any, Final

import psutil

_WITHIN_S: Final = 1.0


_PROBES_A_LOOK: Final = 4
"""The kernel chooses who of those that share a port answers, so one look asks a few times."""


def answers_ok(host: str, port: int, path: str) -> bool:
    """Whether GET there is answered with 200. Takes a second at most."""
    return _body_if_ok(host, port, path) is not None


class OwnReady:
    """Whether a child of this process is ready at an address where another program may be listening instead."""

    def __init__(self, host: str, port: int, path: str) -> None:
        self._address = (host, port, path)

    def __call__(self) -> bool:
        """Look again; the answer says, as `process`, who gives it."""
        body = _body_if_ok(*self._address)
        return isinstance(body, dict) and _is_ours(body.get("process"))


class AllReady:
    """Whether all processes that share a port are ready; each says in its answer, as `process`, which one it is."""

    def __init__(self, host: str, port: int, path: str, processes: int, *, is_https: bool = False) -> None:
        self._address = (host, port, path, is_https)
        self._processes = processes
        self._ready_pids: set[int] = set()

    def __call__(self) -> bool:
        """Look again; those seen ready count as long as they live."""
        for _ in range(_PROBES_A_LOOK):
            body = _body_if_ok(*self._address)
            if body is None:
                break
            self._ready_pids.add(body["process"])
        self._ready_pids = {pid for pid in self._ready_pids if psutil.pid_exists(pid)}
        return len(self._ready_pids) >= self._processes


def _is_ours(pid: Any) -> bool:
    try:
        return isinstance(pid, int) and any(each.pid == os.getpid() for each in psutil.Process(pid).parents())
    except psutil.Error:
        return False


def _body_if_ok(host: str, port: int, path: str, is_https: bool = False) -> Any:  # noqa: FBT001, FBT002
    """What was answered with 200: JSON values or, if it is no JSON, the text. None otherwise."""
    # An address that means all interfaces is asked on loopback.
    near = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - asked, not bound
    connection = (
        http.client.HTTPSConnection(near, port, timeout=_WITHIN_S, context=_unverified())
        if is_https
        else http.client.HTTPConnection(near, port, timeout=_WITHIN_S)
    )
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != http.HTTPStatus.OK:
            return None
        return json.loads(text) if text.startswith("{") else text
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _unverified() -> ssl.SSLContext:
    """A probe tells nothing and asks a child of ours, whose certificate names another host."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
