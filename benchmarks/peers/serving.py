"""Serves a bare application as the API is served: uvicorn, uvloop, httptools, several processes on one port."""

import socket
from typing import Any, Final, Literal

import uvicorn

_BACKLOG: Final = 2048


def serve(application: Any, host: str, port: int, *, lifespan: Literal["on", "off"]) -> None:
    """Until a signal."""
    config = uvicorn.Config(
        application,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan=lifespan,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
    )
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        uvicorn.Server(config).run(sockets=[listener])
