"""In front of Litestar: the device plane takes its calls here, on the raw path and without a router's cost.

Litestar's own handlers cost 80 to 100 µs a call and decode the path; this way costs about a tenth. The six calls are
declared in Litestar as well (`api.devices.routes`), for the OpenAPI document, and are answered by the same object.
"""

from typing import Final, Protocol

from api.answers import Answer
from api.asgi import Application, Event, Receive, Scope, Send
from api.devices.paths import is_device_path
from api.request_bodies import DisconnectedError, drain, read_body
from fleet.errors import MusterError, TooLargeError

_WITH_BODY: Final = frozenset({"PUT", "POST", "PATCH"})
_CLOSE: Final = b"connection: close\r\n"


class Plane(Protocol):
    """Who answers device calls: `api.devices.plane.DevicePlane`."""

    async def answer(self, method: str, raw_path: bytes, body: bytes) -> Answer:
        """The answer; raises nothing."""

    def refuse(self, method: str, raw_path: bytes, error: Exception) -> Answer:
        """The answer to a call whose body could not be taken."""


class FeedAge(Protocol):
    """How current answers are: `api.desired_state.fleet_view.FleetView`."""

    @property
    def age_s(self) -> float:
        """Seconds since everything was known to be applied."""

    def is_lost(self) -> bool:
        """Whether changes may have been missed."""


class LightRoute:
    """An ASGI application: device calls to the plane, everything else to `behind`.

    `feed` is asked with every answer: a process that has lost its feed goes on serving and says how old its answers
    may be, in the header `Muster-Feed-Age` (whole seconds).
    """

    def __init__(self, plane: Plane, behind: Application, body_limit_bytes: int, feed: FeedAge) -> None:
        self._plane = plane
        self._feed = feed
        self._behind = behind
        self._body_limit_bytes = body_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request."""
        if scope["type"] != "http" or not is_device_path(scope["raw_path"]):
            await self._behind(scope, receive, self._telling(send))
            return
        method, raw_path = scope["method"], scope["raw_path"]
        try:
            body = await read_body(scope, receive, self._body_limit_bytes) if method in _WITH_BODY else b""
        except DisconnectedError:
            return
        except MusterError as error:
            answer = self._plane.refuse(method, raw_path, error)
            await _send_and_drain(answer, receive, send, is_body_left=isinstance(error, TooLargeError))
            return
        await _send(await self._plane.answer(method, raw_path, body), self._telling(send))

    def _telling(self, send: Send) -> Send:
        if not self._feed.is_lost():
            return send
        age = (b"muster-feed-age", str(int(self._feed.age_s)).encode())

        async def telling(event: Event) -> None:
            if event["type"] == "http.response.start":
                event = {**event, "headers": [*event["headers"], age]}
            await send(event)

        return telling


async def _send(answer: Answer, send: Send) -> None:
    await send(_start(answer))
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


async def _send_and_drain(answer: Answer, receive: Receive, send: Send, *, is_body_left: bool) -> None:
    """The whole answer first, then the rest of the body: who sends without listening hears it all the same."""
    await send(_start(Answer(answer.status, answer.head + _CLOSE, answer.body)))
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    if is_body_left:
        await drain(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _start(answer: Answer) -> Event:
    return {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
