"""Lets only the Edge API call the device plane: every device's certificate is signed by the same CA as its own.

A device that reached Muster itself could read any device's configuration, secrets included, and answer in its name.
"""

import time
from typing import Final

from api.answers import Header, error_answer
from api.asgi import Application, Receive, Scope, Send
from api.devices.refusals import RefusalLog
from api.listeners.peer import SCOPE_KEY, Peer, spelled_alike
from api.metrics import ApiMetrics
from api.request_bodies import drain
from fleet.errors import ForbiddenError
from fleet.names import shown

_CLOSE: Final[Header] = (b"connection", b"close")


class EdgeApiCheck:
    """An ASGI application in front of another; `names` are those of `MUSTER_DEVICE_CLIENT_NAMES`."""

    def __init__(self, behind: Application, names: str, metrics: ApiMetrics) -> None:
        self._behind = behind
        self._names = spelled_alike(names.split(","))
        self._metrics = metrics
        self._refusals = RefusalLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or refuse it."""
        peer: Peer = scope["extensions"][SCOPE_KEY]
        if not self._names.isdisjoint(peer.names):
            await self._behind(scope, receive, send)
            return
        answer = error_answer(self._refusal(scope, peer))
        # Who sends without listening hears it all the same.
        await drain(receive)
        await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, _CLOSE]})
        await send({"type": "http.response.body", "body": answer.body})

    def _refusal(self, scope: Scope, peer: Peer) -> ForbiddenError:
        self._metrics.refused_peers.labels("device" if peer.is_device else "other").inc()
        who = (
            f"a device's certificate ({shown(peer.common_name)} of {shown(peer.unit)})"
            if peer.is_device
            else f"a certificate of {shown(', '.join(sorted(peer.names)) or peer.common_name)}"
        )
        error = ForbiddenError(f"only the Edge API calls here (MUSTER_DEVICE_CLIENT_NAMES): this is {who}")
        self._refusals.add(
            time.monotonic(),
            f"{scope['method']} as another",
            namespace=shown(peer.unit),
            device=shown(peer.common_name),
            status=403,
            reason=str(error),
        )
        return error
