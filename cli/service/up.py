"""`muster up`: everything on this machine, in the foreground, until Ctrl-C."""

import os
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from rich.console import Console

from api.listeners.rules import check_listeners
from cli.errors import CommandError
from cli.server_address import server_address
from cli.service.children import Children, wanted_ports
from cli.service.download_progress import DownloadProgress
from cli.service.named_files import check_named_files
from cli.service.setup import set_up
from local.data_folder import REQUIRED_FREE_BYTES, DiskFullError, RoomWatch, free_bytes, held_alone, require_room
from local.errors import LocalError
from local.ports import require_free
from local.stop_signals import StopRequested, StopSignals
from local.supervisor import Supervisor
from settings import Settings, load
from settings.keys import make_keys

_ROOM_LOOK_S: Final = 10.0


def up() -> int:
    """Start Muster on this machine and run until Ctrl-C. Kafka and ClickHouse too, unless settings name others."""
    settings = load(os.environ)
    console = Console(highlight=False, soft_wrap=True)
    with StopSignals() as signals:
        supervisor = Supervisor(console.print, signals.held)
        try:
            with held_alone(settings.local.data):
                try:
                    _start(settings, Children(settings, os.environ), supervisor, console)
                    _watch(settings, supervisor, console)
                except StopRequested:
                    console.print("stopping")
                finally:
                    supervisor.stop()
        except LocalError as error:
            raise CommandError(_with_room(error, settings.local.data)) from error
    console.print("stopped")
    return 0


def _start(settings: Settings, children: Children, supervisor: Supervisor, console: Console) -> None:
    """From nothing to ready. Raises LocalError, MusterError, SettingsError or CommandError, each a line."""
    data = settings.local.data
    console.print(f"Muster {version('muster')}: data in {_near(data)}, logs in {_near(data / 'logs')}")
    check_listeners(settings)
    check_named_files(settings)
    require_room(data)
    require_free(wanted_ports(settings))
    if make_keys(settings.keys_folder):
        console.print(f"made keys and passwords in {_near(settings.keys_folder)}; keep a copy of them")
    with DownloadProgress(console) as progress:
        stores = children.stores(progress)
    supervisor.start(stores)
    for line in set_up(settings, datetime.now(UTC)).lines():
        console.print(line)
    supervisor.start(children.workers())
    supervisor.start(children.api())
    console.print(_welcome(settings))


def _watch(settings: Settings, supervisor: Supervisor, console: Console) -> None:
    room = RoomWatch(settings.local.data, console.print)
    next_look_s = 0.0

    def look() -> None:
        nonlocal next_look_s
        if time.monotonic() >= next_look_s:
            next_look_s = time.monotonic() + _ROOM_LOOK_S
            room.look()

    supervisor.watch(look)


def _welcome(settings: Settings) -> str:
    http = server_address(None, settings)
    return f"""
  API         {_device_address(settings) or http}/api/flotta-backend/v1
  documents   {http}/docs
  ClickHouse  {settings.clickhouse.address}  (user analyst reads; password in {_near(settings.keys_folder / "analyst")})
  Kafka       {settings.kafka.bootstrap}

Ready; Ctrl-C stops all of it. Next, in another terminal:

  .venv/bin/muster simulate --devices 10 --period 5 --approve
"""


def _device_address(settings: Settings) -> str:
    device = settings.device
    scheme = "https" if device.certificate else "http"
    return f"{scheme}://{device.host}:{device.port}" if device.port else ""


def _with_room(error: LocalError, data: Path) -> str:
    """A full disk is the likeliest reason of whatever else went wrong."""
    if isinstance(error, DiskFullError) or free_bytes(data) >= REQUIRED_FREE_BYTES:
        return str(error)
    return f"{error}; the disk of {data} is full: make room, or set MUSTER_DATA to a folder on another disk"


def _near(path: Path) -> str:
    return f"./{path.relative_to(Path.cwd())}" if path.is_relative_to(Path.cwd()) else str(path)
