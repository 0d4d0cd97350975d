"""Lets only the Edge API call the device plane: every device's certificate is signed by the same CA as its own.

A device that reached Muster itself could read any device's configuration, secrets included, and answer in its name.
"""

import time
from typing import Final

from api.answers import Header, error_answer
from api.asgi import Application, Receive, Scope, Send
from api.devices.refusals import RefusalLog
from api.listeners.callers import Callers, RefusedCallerError
from api.listeners.peer import SCOPE_KEY
from api.metrics import ApiMetrics
from api.request_bodies import drain
from fleet.names import shown

_CLOSE: Final[Header] = (b"connection", b"close")


class EdgeApiCheck:
    """An ASGI application in front of another."""

    def __init__(self, behind: Application, callers: Callers, metrics: ApiMetrics) -> None:
        self._behind = behind
        self._callers = callers
        self._metrics = metrics
        self._refusals = RefusalLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or refuse it."""
        address = (scope.get("client") or ("", 0))[0]
        certificate = scope.get("extensions", {}).get(SCOPE_KEY)
        try:
            self._callers.check(address, scope["headers"], certificate)
        except RefusedCallerError as error:
            self._tell(scope["method"], address, error)
            answer = error_answer(error)
        else:
            await self._behind(scope, receive, send)
            return
        # Who sends without listening hears it all the same.
        await drain(receive)
        await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, _CLOSE]})
        await send({"type": "http.response.body", "body": answer.body})

    def _tell(self, method: str, address: str, error: RefusedCallerError) -> None:
        peer = error.peer
        self._metrics.refused_peers.labels("unknown" if peer is None else "device" if peer.is_device else "other").inc()
        self._refusals.add(
            time.monotonic(),
            f"{method} as another",
            namespace=shown(peer.unit) if peer else "",
            device=shown(peer.common_name if peer else address),
            status=403,
            reason=str(error),
        )
