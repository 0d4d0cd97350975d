"""Probes and metrics."""

import os
from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import BaseRouteHandler

from api.health import Health
from api.metrics import ApiMetrics

_METRICS_TYPE = "text/plain; version=0.0.4"  # Litestar adds the character set

_encode = msgspec.json.Encoder().encode


def operation_routes(health: Health, metrics: ApiMetrics) -> list[BaseRouteHandler]:
    """`/health/live`, `/health/ready`, `/metrics`."""

    @get("/health/live", tags=["operation"], sync_to_thread=False)
    def live() -> Response[dict[str, str]]:
        """200 as long as the process answers at all."""
        return Response({"status": "live"})

    @get("/health/ready", tags=["operation"], sync_to_thread=False)
    def ready() -> Response[dict[str, Any]]:
        """503 when heartbeats cannot be published or the fleet is not loaded; otherwise 200, with what is degraded."""
        found = health.readiness()
        # The processes share a port: who waits for all of them must know which one answered.
        content: dict[str, Any] = {"degraded": found.degraded, "process": os.getpid()}
        if found.is_ready:
            return Response({"status": "ready", **content})
        content |= {"status": "not ready", "message": "; ".join(found.reasons)}
        return Response(content, status_code=503)

    @get("/metrics", tags=["operation"], media_type="text/plain")
    async def metrics_() -> Response[bytes]:
        """Prometheus' text format, summed over the API processes."""
        return Response(metrics.exposition(), media_type=_METRICS_TYPE)

    return [live, ready, metrics_]
