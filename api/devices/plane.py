"""The six calls as one function of method, raw path and body, so that any server interface can carry them.

Whatever happens, the answer is one of the contract's, and every refusal is logged with device and reason: the Edge API
shows our messages to nobody (CONTRACT.md “The six calls”).
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import structlog
from msgspec import Struct

from api.answers import Answer, error_answer
from api.devices.paths import DevicePath, read_device_path
from api.devices.refusals import RefusalLog
from api.errors import MethodNotAllowedError, is_foreseen
from fleet.errors import NotFoundError, OutcomeUnknownError, UnavailableError
from fleet.names import shown

Reply = Callable[[Answer], None]
ReadyCall = Callable[[DevicePath, bytes], Answer]
"""Answered at once, from memory."""

LaterCall = Callable[[DevicePath, bytes, "Later"], Answer | None]
"""Answered at once, or refused by an exception, or taken: then it is answered within the deadline."""

Key = tuple[str, str]
"""Method and the path's last segment."""


class Calls(NamedTuple):
    """What answers, by how it does."""

    ready: Mapping[Key, ReadyCall]
    later: Mapping[Key, LaterCall]


_NO_PATH: Final = DevicePath("", "", "")

_log = structlog.get_logger(__name__)


class DevicePlane:
    """Answers devices. `clock` gives seconds of a steady clock; `observe` takes call, status and seconds taken."""

    def __init__(
        self,
        calls: Calls,
        refusals: RefusalLog,
        *,
        clock: Callable[[], float],
        observe: Callable[[str, str, int, float], None],
    ) -> None:
        self._ready, self._later = calls
        self._methods: dict[str, set[str]] = {}
        for method, call in (*self._ready, *self._later):
            self._methods.setdefault(call, set()).add(method)
        self._refusals = refusals
        self._clock = clock
        self._observe = observe

    async def answer(self, method: str, raw_path: bytes, body: bytes) -> Answer:
        """The answer to any call, within the deadline. Raises nothing."""
        try:
            path = read_device_path(raw_path)
        except Exception as error:  # noqa: BLE001 - a device must always be answered by the contract
            return self.refuse(method, raw_path, error)
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def reply(answer: Answer) -> None:
            if not answered.done():
                answered.set_result(answer)

        return self.take(method, path, body, reply) or await answered

    def take(self, method: str, path: DevicePath, body: bytes, reply: Reply) -> Answer | None:
        """The answer, or None when `reply` will be given it. Raises nothing."""
        started_s = self._clock()
        key = (method, path.call)
        try:
            ready = self._ready.get(key)
            if ready is not None:
                answer: Answer | None = ready(path, body)
            else:
                later = self._later.get(key)
                if later is None:
                    return self.refused(method, path, started_s, self._no_such_call(method, path))
                answer = later(path, body, Later(self, method, path, started_s, reply))
        except Exception as error:  # noqa: BLE001 - as above
            return self.refused(method, path, started_s, error)
        if answer is not None:
            self._observe(method, path.call, answer.status, self._clock() - started_s)
        return answer

    def answered(self, method: str, call: str, started_s: float, status: int) -> None:
        """Count a call that was."""
        self._observe(method, call, status, self._clock() - started_s)

    def refused(self, method: str, path: DevicePath, started_s: float, error: Exception) -> Answer:
        """The answer to a call that cannot be; it is counted and logged."""
        return self._refuse(method, path, b"", started_s, error)

    def refuse(self, method: str, raw_path: bytes, error: Exception) -> Answer:
        """The answer to a call whose body could not be taken."""
        return self._refuse(method, _NO_PATH, raw_path, self._clock(), error)

    def _no_such_call(self, method: str, path: DevicePath) -> Exception:
        methods = self._methods.get(path.call)
        if methods is None:
            return NotFoundError(
                f"there is no call {shown(path.call)}: the calls are {', '.join(sorted(self._methods))}"
            )
        return MethodNotAllowedError(
            f"{path.call} takes {' and '.join(sorted(methods))}, not {shown(method)}", frozenset(methods)
        )

    def _refuse(self, method: str, path: DevicePath, raw_path: bytes, started_s: float, error: Exception) -> Answer:
        told = _told(error)
        answer = error_answer(told)
        if not is_foreseen(told):
            _log.error("device call failed", call=f"{method} {path.call}", device=path.device_id, exc_info=error)
        now_s = self._clock()
        self._refusals.add(
            now_s,
            f"{method} {path.call}",
            namespace=path.namespace,
            device=path.device_id or shown(raw_path.decode("latin-1")),
            status=answer.status,
            reason=str(told) or type(told).__name__,
        )
        is_known = path.call in self._methods
        self._observe(method if is_known else "", path.call if is_known else "other", answer.status, now_s - started_s)
        return answer


class Later(Struct, gc=False):
    """A call that was taken and is not answered yet. It began at `started_s` of the plane's clock."""

    plane: DevicePlane
    method: str
    path: DevicePath
    started_s: float
    reply: Reply

    def answer(self, answer: Answer) -> None:
        """Give the answer."""
        self.plane.answered(self.method, self.path.call, self.started_s, answer.status)
        self.reply(answer)

    def refuse(self, error: Exception) -> None:
        """Say why there is none."""
        self.reply(self.plane.refused(self.method, self.path, self.started_s, error))

    def go_on(self, step: Callable[[], Answer | None]) -> None:
        """Take the next step: answer what it gives, refuse what it raises, wait when it gives nothing."""
        try:
            answer = step()
        except Exception as error:  # noqa: BLE001 - a device must always be answered by the contract
            self.refuse(error)
        else:
            if answer is not None:
                self.answer(answer)


def _told(error: Exception) -> Exception:
    """For a device a late outcome is one more reason to try again."""
    if isinstance(error, TimeoutError | OutcomeUnknownError):
        return UnavailableError("Muster could not answer in time: try again")
    return error


def calls_of(enrolment: Any, registration: Any, heartbeat: Any, reads: Any) -> Calls:
    """The six calls."""
    return Calls(
        ready={
            ("GET", "registration"): registration.get,
            ("GET", "configuration"): reads.configuration,
            ("GET", "playbookexecutions"): reads.playbook_executions,
        },
        later={
            ("PUT", "heartbeat"): heartbeat.put,
            ("POST", "enrolment"): enrolment.post,
            ("PUT", "registration"): registration.put,
        },
    )
