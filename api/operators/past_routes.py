"""What a device was to run at a time: `GET /muster/v1/devices/DEVICE/configuration?at=TIME`. Nothing of Secrets."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from litestar import Response, Router, get

from api.operators.lifecycle_routes import PREFIX
from api.resources.impersonation import refuse_impersonation
from api.resources.requests import AnyRequest
from api.resources.responses import ResourceResponse
from fleet.errors import BadInputError, MusterError, NotFoundError, UnavailableError
from fleet.names import check_device_id, shown
from fleet.preview.device_then import DeviceThen, device_then
from fleet.sealing import KeyRing
from storage.past_states import PastState

_THREADS: Final = 1
"""Pasts read at a time: each goes over all that was ever decided."""

_log = structlog.get_logger(__name__)

Read = Callable[[str, int], PastState]
"""Reads what concerned a device at a time (Unix milliseconds); blocks."""


class Pasts(NamedTuple):
    """What the route needs. `wall_clock_ms` gives Unix time; a read is waited for `deadline_s`."""

    read: Read
    keys: KeyRing
    installation_key: bytes
    wall_clock_ms: Callable[[], int]
    deadline_s: float


def past_routes(pasts: Pasts) -> Router:
    """The route."""
    threads = ThreadPoolExecutor(_THREADS, "past")

    def assemble(device: str, at_ms: int) -> tuple[PastState, DeviceThen | None]:
        # In the thread, too: a namespace's workloads are compiled for this one answer.
        past = pasts.read(device, at_ms)
        return past, device_then(past.state, device, pasts.keys.opened, pasts.installation_key)

    @get(f"{PREFIX}/devices/{{device:str}}/configuration", operation_id="configurationThen", tags=["history"])
    async def configuration_then(request: AnyRequest) -> Response[Any]:
        """What a device was to run then, from the resources as they were; `at` is RFC 3339, or absent for now."""
        device = request.path_params["device"]
        check_device_id(device)
        now_ms = pasts.wall_clock_ms()
        at_ms = read_time(request.query_params.get("at"), now_ms)
        try:
            async with asyncio.timeout(pasts.deadline_s):
                past, told = await asyncio.get_running_loop().run_in_executor(threads, assemble, device, at_ms)
        except MusterError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever keeps the history away, it is not the caller's
            _log.warning("past not read", device=device, error=repr(error)[:500])
            raise UnavailableError("ClickHouse, which keeps the history, does not answer: try again") from None
        if told is None:
            raise NotFoundError(_why_unknown(device, past, at_ms))
        return ResourceResponse(
            {"time": written_time(at_ms), "revision": str(past.state.revision), **msgspec.to_builtins(told)}
        )

    return Router("/", route_handlers=[configuration_then], guards=[refuse_impersonation])


def read_time(text: str | None, now_ms: int) -> int:
    """Unix milliseconds of a time in RFC 3339, UTC without an offset. Raises BadInputError, also for the future."""
    if text is None:
        return now_ms
    try:
        # A query's plus sign stands for a space.
        time = datetime.fromisoformat(text.strip().replace(" +", "+").replace(" ", "T", 1))
        at_ms = int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise BadInputError(f"{shown(text)} is no time: write it as 2026-11-22T20:00:00Z") from None
    if at_ms > now_ms:
        raise BadInputError(f"{shown(text)} is in the future: here it is {written_time(now_ms)}")
    return at_ms


def written_time(unix_ms: int) -> str:
    """RFC 3339, UTC, to the millisecond."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _why_unknown(device: str, past: PastState, at_ms: int) -> str:
    if past.began_at_ms is None or at_ms < past.began_at_ms:
        began = f"begins at {written_time(past.began_at_ms)}" if past.began_at_ms is not None else "is empty"
        return f"nothing is known of {written_time(at_ms)}: the history {began}"
    if past.device_since_ms is None:
        return f"device {device} has never been heard of"
    if at_ms < past.device_since_ms:
        return f"device {device} did not exist yet: it was first heard of at {written_time(past.device_since_ms)}"
    return f"device {device} did not exist at {written_time(at_ms)}: it had been removed"
