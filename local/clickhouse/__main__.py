"""`python -m local.clickhouse`: the engine on MUSTER_DATA/clickhouse, asked at 127.0.0.1:MUSTER_CLICKHOUSE_PORT."""

import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Final

import structlog
import uvicorn

from local.clickhouse.answers import Answers
from local.clickhouse.engine import Engine
from local.clickhouse.engine_files import QueryLimits, write_engine_files
from local.clickhouse.errors import ClickHouseError
from local.clickhouse.folder_lock import hold_folder
from local.clickhouse.lanes import Lane
from local.clickhouse.merge_threads import let_merges_stand_back
from local.clickhouse.passwords import Passwords
from local.clickhouse.server import ClickHouseApp
from local.clickhouse.users import ANALYST, Role
from local.errors import LocalError
from settings import Settings, SettingsError, load

_MIB: Final = 1024 * 1024

_GRACE_S: Final = 1
"""Answers under way may end within this after SIGTERM; what is acknowledged is on disk in any case."""

_ENGINE_GRACE_S: Final = 1.0

_KEEP_ALIVE_S: Final = 300
"""Longer than clients keep an idle connection, so that they never send into one just closed."""

_log = structlog.get_logger("muster.clickhouse")


def main() -> int:
    """Serve until SIGTERM or SIGINT. Gives the exit status."""
    _configure_logs()
    try:
        settings = load(os.environ)
        with hold_folder(settings.local.data / "clickhouse") as folder, _listen(settings) as listener:
            engine = _start_engine(settings, folder)
            let_merges_stand_back()
            app = _wire(settings, engine)
            server = uvicorn.Server(_server_config(app))
            _log.info("answering", address=settings.clickhouse.address, engine=engine.version)
            # The server takes these signals while it runs and raises them once more when it is done.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: None)
            server.run(sockets=[listener])
            _end(app, engine)
    except (LocalError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _start_engine(settings: Settings, folder: Path) -> Engine:
    try:
        config = write_engine_files(folder / "config", settings.clickhouse.database, _limits(settings))
        return Engine(folder / "store", config)
    except OSError as error:
        raise LocalError(f"cannot write to {folder}: {error.strerror}; set MUSTER_DATA to another folder") from error
    except ClickHouseError as error:
        raise LocalError(f"the ClickHouse engine does not start on {folder}: {error}") from error


def _limits(settings: Settings) -> QueryLimits:
    asked = settings.clickhouse
    return QueryLimits(asked.query_memory_mib, asked.query_timeout_s, asked.result_limit_mib)


def _wire(settings: Settings, engine: Engine) -> ClickHouseApp:
    asked = settings.clickhouse
    owner = Lane("owner", asked.owner_queries, asked.waiting_queries, asked.query_timeout_s)
    analyst = Lane("analyst", asked.analyst_queries, asked.waiting_queries, asked.query_timeout_s)
    return ClickHouseApp(
        engine,
        Answers(engine, asked.database, _limits(settings)),
        Passwords(asked.user, settings.clickhouse_password_file, settings.keys_folder / ANALYST),
        {Role.OWNER: owner, Role.ANALYST: analyst},
        asked.body_limit_mib * _MIB,
    )


def _listen(settings: Settings) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", settings.clickhouse.port))
    except OSError as error:
        listener.close()
        raise LocalError(
            f"cannot listen on 127.0.0.1:{settings.clickhouse.port}: {error.strerror};"
            " set MUSTER_CLICKHOUSE_PORT to a free port"
        ) from error
    return listener


def _server_config(app: ClickHouseApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        loop="uvloop",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )


def _end(app: ClickHouseApp, engine: Engine) -> None:
    """Leave within seconds. A long merge cannot hold the process: what is on disk is whole anyway."""
    app.close()
    closing = threading.Thread(target=engine.close, name="closing", daemon=True)
    closing.start()
    closing.join(_ENGINE_GRACE_S)
    _log.info("stopped")
    sys.stdout.flush()
    os._exit(0)


def _configure_logs() -> None:
    renderer = structlog.dev.ConsoleRenderer() if sys.stdout.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ]
    )
    # An answer broken off on purpose is an error to uvicorn.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


if __name__ == "__main__":
    sys.exit(main())
