"""A bare ASGI application that decodes heartbeats and produces them: `python -m benchmarks.peers.bare_heartbeats`.

It has the API's server (uvicorn, uvloop, httptools), its typed decoder and its publisher with the same window, so
records are as large; and nothing of the rest: no device is looked up, no name checked, no content hashed, no metric
counted, nothing logged, no position reckoned beyond the one that it answers with. So it shows what the rest costs.
"""

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from api.devices.heartbeat_publisher import HeartbeatPublisher
from benchmarks.peers.serving import serve
from fleet.heartbeats.entries import HeartbeatEntry
from fleet.heartbeats.heartbeat import read_heartbeat
from streams.kafka_producer import KafkaProducer

_RECORD_LIMIT_BYTES: Final = 4_000_000
_IN_FLIGHT_BYTES: Final = 64_000_000
_DEADLINE_S: Final = 0.6
_CONNECTED_WITHIN_S: Final = 20.0
_STOP_WITHIN_S: Final = 1.0
_SEGMENTS_AFTER_BASE: Final = 4  # namespace, "devices", device, call


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(description="Decode heartbeats and produce them.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", default="peer.heartbeats")
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--window-ms", type=int, default=25)
    asked = parser.parse_args()
    application = _Application(asked.bootstrap, asked.topic, asked.partitions, asked.window_ms / 1000)
    serve(application, asked.host, asked.port, lifespan="on")


class _Application:
    """The application with its lifespan, in which the producer runs."""

    def __init__(self, bootstrap: str, topic: str, partitions: int, window_s: float) -> None:
        self._producer = KafkaProducer(bootstrap, _RECORD_LIMIT_BYTES, "bare")
        self._publisher = HeartbeatPublisher(
            self._producer,
            topic,
            partitions,
            window_s=window_s,
            deadline_s=_DEADLINE_S,
            in_flight_limit_bytes=_IN_FLIGHT_BYTES,
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """A heartbeat, or the lifespan."""
        if scope["type"] == "lifespan":
            async with self._running():
                await receive()
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b""
        more_body = True
        while more_body:
            event = await receive()
            body += event.get("body", b"")
            more_body = event.get("more_body", False)
        namespace, _, device_id, _ = scope["path"].split("/")[-_SEGMENTS_AFTER_BASE:]
        read_heartbeat(body)
        position = await self._publisher.publish(
            HeartbeatEntry(namespace, device_id, 0, is_checked=True, wanted_version=None, body=body)
        )
        headers = [(b"content-length", b"0"), (b"muster-position", str(position).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        self._producer.start()
        async with asyncio.timeout(_CONNECTED_WITHIN_S):
            while not self._producer.is_up:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.05)
        yield
        await self._publisher.drain(_STOP_WITHIN_S)
        await self._producer.stop(_STOP_WITHIN_S)


if __name__ == "__main__":
    main()
