"""The six calls as one function of method, raw path and body, so that any server interface can carry them.

Whatever happens, the answer is one of the contract's, and every refusal is logged with device and reason: the Edge API
shows our messages to nobody (CONTRACT.md “The six calls”).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from api.answers import Answer, error_answer
from api.devices.paths import DevicePath, read_device_path
from api.devices.refusals import RefusalLog
from api.errors import MethodNotAllowedError, is_foreseen
from fleet.errors import NotFoundError, OutcomeUnknownError, UnavailableError
from fleet.names import shown

Call = Callable[[DevicePath, bytes], Awaitable[Answer]]
Calls = Mapping[str, Mapping[str, Call]]
"""What answers, by the path's last segment and the method."""

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
        self._calls = calls
        self._refusals = refusals
        self._clock = clock
        self._observe = observe

    async def answer(self, method: str, raw_path: bytes, body: bytes) -> Answer:
        """The answer, within the deadline. Raises nothing."""
        started_s = self._clock()
        path = DevicePath("", "", "")
        try:
            path = read_device_path(raw_path)
            call = self._find(method, path)
            answer = await call(path, body)
        except Exception as error:  # noqa: BLE001 - a device must always be answered by the contract
            answer = self._refuse(method, raw_path, path, error)
        name = path.call if path.call in self._calls else "other"
        self._observe(method if name != "other" else "", name, answer.status, self._clock() - started_s)
        return answer

    def refuse(self, method: str, raw_path: bytes, error: Exception) -> Answer:
        """The answer to a call whose body could not be taken."""
        return self._refuse(method, raw_path, DevicePath("", shown(raw_path.decode("latin-1")), ""), error)

    def _find(self, method: str, path: DevicePath) -> Call:
        by_method = self._calls.get(path.call)
        if by_method is None:
            raise NotFoundError(f"there is no call {shown(path.call)}: the calls are {', '.join(sorted(self._calls))}")
        call = by_method.get(method)
        if call is None:
            raise MethodNotAllowedError(
                f"{path.call} takes {' and '.join(sorted(by_method))}, not {shown(method)}", frozenset(by_method)
            )
        return call

    def _refuse(self, method: str, raw_path: bytes, path: DevicePath, error: Exception) -> Answer:
        told = _told(error)
        answer = error_answer(told)
        if not is_foreseen(told):
            _log.error("device call failed", call=f"{method} {path.call}", device=path.device_id, exc_info=error)
        self._refusals.add(
            self._clock(),
            f"{method} {path.call}",
            namespace=path.namespace,
            device=path.device_id or shown(raw_path.decode("latin-1")),
            status=answer.status,
            reason=str(told) or type(told).__name__,
        )
        return answer


def _told(error: Exception) -> Exception:
    """For a device a late outcome is one more reason to try again."""
    if isinstance(error, TimeoutError):
        return UnavailableError("Muster could not answer in time: try again")
    if isinstance(error, OutcomeUnknownError):
        return UnavailableError(str(error))
    return error


def calls_of(enrolment: Any, registration: Any, heartbeat: Any, reads: Any, deadline_s: float) -> Calls:
    """The table of the six calls. Those that wait for more than one thing get the deadline as a whole."""
    return {
        "enrolment": {"POST": _within(deadline_s, enrolment.post)},
        "registration": {"GET": registration.get, "PUT": _within(deadline_s, registration.put)},
        "configuration": {"GET": reads.configuration},
        "heartbeat": {"PUT": heartbeat.put},
        "playbookexecutions": {"GET": reads.playbook_executions},
    }


def _within(deadline_s: float, call: Call) -> Call:
    async def bounded(path: DevicePath, body: bytes) -> Answer:
        async with asyncio.timeout(deadline_s):
            return await call(path, body)

    return bounded
