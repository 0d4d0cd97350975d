"""The calls of the contract as the Edge API sends them: its headers, its bodies, its deadline, its tries.

Source: CONTRACT.md “Captured” and “Answering this client”. One method a call; every try is measured. Nothing raises for
what the server does: an answer has a status, or 0 and a fault.
"""

import asyncio
import ssl
import time
from typing import Any, NamedTuple

import aiohttp
import orjson
from yarl import URL

from cli.simulate.measurements import Measurements

BASE_PATH = "/api/flotta-backend/v1"

DEVICE_WAITS_S = 1.0
"""The device hangs up after this, which ends the call with all its tries."""

TRY_PAUSES_S = (0.05, 0.1, 0.15)
"""Before the second, third and fourth try of a heartbeat."""

CONNECTION_LIMIT = 512
"""Connections at a time; calls above it wait for one, within their second."""

_READ_HEADERS = {"User-Agent": "Go-http-client/1.1", "Accept": "application/json", "Accept-Encoding": "gzip"}
_WRITE_HEADERS = {
    "User-Agent": "Go-http-client/1.1",
    "Accept": "application/json",
    "Content-Type": "application/json",
    "Accept-Encoding": "gzip",
}
_OK = 200


class Answer(NamedTuple):
    """What came back. `status` is 0 when nothing did; `position` is the `Muster-Position` header, if any."""

    status: int
    body: bytes
    position: str | None

    def message(self) -> str:
        """The `message` of an error's body, or the beginning of whatever it is."""
        try:
            return str(orjson.loads(self.body)["message"])
        except (ValueError, KeyError, TypeError):
            return self.body[:200].decode(errors="replace")


class _Call(NamedTuple):
    method: str
    namespace: str
    device_id: str
    what: str
    body: bytes | None = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.what}"


def open_session(tls: ssl.SSLContext | None = None) -> aiohttp.ClientSession:
    """The one session of a fleet: HTTP/1.1, connections kept and bounded, no header but ours, no redirects followed."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTION_LIMIT, ttl_dns_cache=300, ssl=tls or True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        skip_auto_headers=("Content-Type",),
    )


class Calls:
    """The Edge API's side of the HTTP interface, for one fleet."""

    def __init__(self, session: aiohttp.ClientSession, server: str, measurements: Measurements) -> None:
        self._session = session
        self._namespaces = f"{server}{BASE_PATH}/namespaces"
        self._measurements = measurements

    async def enrol(self, namespace: str, device_id: str, content: dict[str, Any]) -> Answer:
        """`POST enrolment`."""
        return await self._once(_Call("POST", namespace, device_id, "enrolment", _encode(content)))

    async def registration(self, namespace: str, device_id: str) -> Answer:
        """`GET registration`."""
        return await self._once(_Call("GET", namespace, device_id, "registration"))

    async def register(self, namespace: str, device_id: str, content: dict[str, Any]) -> Answer:
        """`PUT registration`."""
        return await self._once(_Call("PUT", namespace, device_id, "registration", _encode(content)))

    async def configuration(self, namespace: str, device_id: str) -> Answer:
        """`GET configuration`."""
        return await self._once(_Call("GET", namespace, device_id, "configuration"))

    async def playbook_executions(self, namespace: str, device_id: str) -> Answer:
        """`GET playbookexecutions`."""
        return await self._once(_Call("GET", namespace, device_id, "playbookexecutions"))

    async def beat(self, namespace: str, device_id: str, body: bytes) -> Answer:
        """`PUT heartbeat`: after any error again with identical bytes, up to four tries within the device's second."""
        hangs_up_at = time.monotonic() + DEVICE_WAITS_S
        heartbeat = _Call("PUT", namespace, device_id, "heartbeat", body)
        answer = await self._try(heartbeat, hangs_up_at)
        for pause_s in TRY_PAUSES_S:
            if answer.status == _OK or time.monotonic() + pause_s >= hangs_up_at:
                break
            await asyncio.sleep(pause_s)
            self._measurements.retried_heartbeats += 1
            answer = await self._try(heartbeat, hangs_up_at)
        if answer.status != _OK:
            self._measurements.abandoned_heartbeats += 1
        return answer

    async def _once(self, call: _Call) -> Answer:
        return await self._try(call, time.monotonic() + DEVICE_WAITS_S)

    async def _try(self, call: _Call, hangs_up_at: float) -> Answer:
        url = URL(f"{self._namespaces}/{call.namespace}/devices/{call.device_id}/{call.what}", encoded=True)
        headers = _READ_HEADERS if call.body is None else _WRITE_HEADERS
        began = time.monotonic()
        try:
            async with (
                asyncio.timeout(hangs_up_at - began),
                self._session.request(
                    call.method, url, data=call.body, headers=headers, allow_redirects=False
                ) as response,
            ):
                answer = Answer(response.status, await response.read(), response.headers.get("Muster-Position"))
        except TimeoutError:
            return self._fault(call, f"no answer within {DEVICE_WAITS_S:g} s")
        except aiohttp.ClientSSLError as error:
            return self._fault(call, f"no TLS: {_reason(error)}")
        except aiohttp.ClientConnectorError:
            return self._fault(call, "connection refused")
        except (aiohttp.ClientError, OSError) as error:
            return self._fault(call, f"connection lost: {type(error).__name__}")
        self._measurements.add(call.name, str(answer.status), time.monotonic() - began)
        if answer.status not in (200, 201):
            self._measurements.refusals[f"{call.name} {answer.status}"] = answer.message()
        return answer

    def _fault(self, call: _Call, fault: str) -> Answer:
        self._measurements.add(call.name, fault, None)
        return Answer(0, b"", None)


def _reason(error: aiohttp.ClientSSLError) -> str:
    """Why there is no TLS, in the library's words without its place in the source."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    return getattr(cause, "verify_message", None) or getattr(cause, "reason", None) or type(cause).__name__


def _encode(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)
