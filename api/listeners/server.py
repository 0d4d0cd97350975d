"""One event loop with a listener for each plane, whose TLS files are read again while it runs.

A changed file means a new TLS context, and so a new listener on the same socket: what the kernel has queued is not
lost. Connections made under the former files are closed when their request is answered, so that a revoked client
does not stay.
"""

import asyncio
import functools
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import uvicorn

from api.devices.light_calls import LightCalls
from api.http_protocol import MusterHttpProtocol
from api.listeners.tls_files import TlsFiles
from streams.background_task import BackgroundTask

_HANDSHAKE_WITHIN_S: Final = 10.0
"""Who has not finished a handshake by then will not; it holds a connection that others may need."""


class Listener(NamedTuple):
    """An address, the application behind it, its TLS for https, and the light way where it has the device plane."""

    config: uvicorn.Config
    socket: socket.socket
    tls: TlsFiles | None
    light: LightCalls | None


class ListeningServer(uvicorn.Server):
    """Serves all listeners; the first one's application has the lifespan.

    `look` is called at every look at files, `stopping` before requests under way are waited for, to end endless ones.
    """

    def __init__(
        self, listeners: Sequence[Listener], reload_s: float, look: Callable[[], None], stopping: Callable[[], None]
    ) -> None:
        super().__init__(listeners[0].config)
        self._listeners = listeners
        self._reload_s = reload_s
        self._look = look
        self._stopping = stopping
        self._open: dict[int, asyncio.base_events.Server] = {}
        self._reloading = BackgroundTask("reload-certificates")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        """The lifespan first, then the listeners."""
        await super().startup(sockets=[])
        for number in range(len(self._listeners)):
            await self._listen(number)
        self._reloading.start(self._reload())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - as above
        """Take no more connections, answer what is under way, end the lifespan."""
        self._stopping()
        await self._reloading.stop()
        await super().shutdown(sockets=[listener.socket for listener in self._listeners])

    async def _reload(self) -> None:
        while True:
            await asyncio.sleep(self._reload_s)
            for number, listener in enumerate(self._listeners):
                if listener.tls and listener.tls.reload():
                    await self._listen(number)
                    self._close_connections(listener.config)
            self._look()

    async def _listen(self, number: int) -> None:
        """Open the listener anew on its socket, then close the one before."""
        listener = self._listeners[number]
        if not listener.config.loaded:
            listener.config.load()
        before = self._open.get(number)
        tls: dict[str, Any] = {}
        if listener.tls:
            tls = {"ssl": listener.tls.context, "ssl_handshake_timeout": _HANDSHAKE_WITHIN_S}
        loop = asyncio.get_running_loop()
        protocol = functools.partial(
            MusterHttpProtocol,
            config=listener.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            light=listener.light,
        )
        opened = await loop.create_server(protocol, sock=listener.socket.dup(), backlog=listener.config.backlog, **tls)
        self._open[number] = opened
        self.servers.append(opened)
        if before:
            self.servers.remove(before)
            before.close()

    def _close_connections(self, config: uvicorn.Config) -> None:
        for connection in list(self.server_state.connections):
            if connection.config is config:
                connection.shutdown()
