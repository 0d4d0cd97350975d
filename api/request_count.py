"""Counts the answers of the management plane by method and status."""

from api.asgi import Application, Event, Receive, Scope, Send
from api.metrics import ApiMetrics

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class RequestCount:
    """An ASGI application around another."""

    def __init__(self, behind: Application, metrics: ApiMetrics) -> None:
        self._behind = behind
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note its answer."""
        if scope["type"] != "http":
            await self._behind(scope, receive, send)
            return
        # Anyone may invent methods; a metric's labels must stay few.
        method = scope["method"] if scope["method"] in _METHODS else "other"

        async def counting(event: Event) -> None:
            if event["type"] == "http.response.start":
                self._metrics.requests.labels(method, str(event["status"])).inc()
            await send(event)

        await self._behind(scope, receive, counting)
